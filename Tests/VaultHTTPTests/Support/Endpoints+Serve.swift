import Hummingbird
import HummingbirdTesting
import Logging

@testable import VaultHTTP

extension Endpoints {
    /// Runs `body` before these endpoints alone, with their errors as problems.
    static func serve(
        _ endpoints: Endpoints, _ logger: Logger, _ body: @Sendable (Browser) async throws -> Void
    ) async throws {
        let application = Application(
            router: endpoints.router([Problems(endpoints: endpoints)]), logger: logger)
        try await application.test(.router) { try await body(Browser(client: $0)) }
    }
}
