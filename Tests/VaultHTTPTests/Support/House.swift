import Hummingbird
import HummingbirdTesting
import Logging
import Synchronization
import Vault
import VaultBase
import VaultCrypto
import VaultProviders
import VaultRecords
import VaultStore

@testable import VaultHTTP

/// A vault in memory with a facade before it: platforms `acme`, `formal` (posts its callback), `music` (gives its token
/// to the browser) and `broken`.
struct House: Sendable {
    let vault: Vault
    let provider = ScriptedProvider()
    let clock = HandWallClock()
    let limits = HandClock()
    let log = LogLines()
    let metrics = PrometheusMetrics(showsProcess: false)
    var options = Facade.Options()

    static let frontend = "http://127.0.0.1:8000"

    init(
        delivery: SessionDelivery = .fragment, frontend: String = Self.frontend, issuer: String = Self.frontend,
        store: any Store = MemoryStore()
    ) async throws {
        let records = try await Records.create(in: store, rootKey: GuardedKey.generate(), clock: clock)
        var settings = VaultOptions(
            frontendURL: frontend, sessionIssuer: issuer,
            sessionKeys: [("1", Secret(bytes: Array(repeating: 7, count: 32)))])
        settings.sessionDelivery = delivery
        settings.returnTo = ["/", "/library"]
        let directory = PlatformDirectory([
            .init(name: try PlatformName("acme"), displayName: "Acme", platform: try .scripted("acme"), fault: nil),
            .init(
                name: try PlatformName("formal"), displayName: "Formal",
                platform: try .scripted("formal", posted: true), fault: nil),
            .init(
                name: try PlatformName("music"), displayName: "Music", platform: try .fromBrowser("music"), fault: nil),
            .init(
                name: try PlatformName("broken"), displayName: "Broken", platform: nil,
                fault: VaultError(.plugin, "no plugin describes the provider broken", hint: "install broken.so")),
        ])
        vault = Vault(
            records: records, platforms: directory, transport: provider, options: settings, logger: log.logger,
            metrics: metrics)
        // Most tests knock more often than a browser would.
        options.loginsPerMinute = 0
        options.callbacksPerMinute = 0
        options.refreshesPerMinute = 0
        options.renewalsPerMinute = 0
    }

    func application() throws -> some ApplicationProtocol {
        try Facade(vault: vault, options: options, logger: log.logger).application(
            now: limits.now, metrics: metrics)
    }

    /// Runs `body` as a browser before the facade's router.
    func visit(_ body: @Sendable (Browser) async throws -> Void) async throws {
        try await application().test(.router) { try await body(Browser(client: $0)) }
    }
}

/// A wall clock moved by hand.
final class HandWallClock: WallClock {
    private let time = Mutex(Timestamp(seconds: 1_790_000_000))
    func now() -> Timestamp { time.withLock { $0 } }
    func advance(_ duration: Duration) { time.withLock { $0 = $0 + duration } }
}

/// Every line logged, as text.
final class LogLines: Sendable {
    private let lines = Mutex<[String]>([])
    var all: [String] { lines.withLock { $0 } }

    var logger: Logger {
        var logger = Logger(label: "test") { _ in Handler(lines: self) }
        logger.logLevel = .trace
        return logger
    }

    private struct Handler: LogHandler {
        let lines: LogLines
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.trace

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let all = metadata.merging(event.metadata ?? [:]) { $1 }
            lines.lines.withLock { $0.append("\(event.level) \(event.message) \(all)") }
        }
    }
}
