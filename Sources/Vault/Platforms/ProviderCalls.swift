import Logging
import VaultBase
import VaultProviders

/// Calls providers: the engine that knows what to say, the transport that says it, and a limit on how long
/// it may take, kept even by a transport that does not.
struct ProviderCalls: Sendable {
    let discovery: Discovery
    private let directory: PlatformDirectory
    private let line: Line

    private struct Line: Sendable {
        let transport: any Transport
        let timeout: Duration
        let observation: Observation

        func send(
            _ request: ProviderRequest, _ platform: Platform, _ stage: FlowEngine.Stage
        ) async throws(ProviderFailure) -> ProviderAnswer {
            let (transport, timeout) = (transport, timeout)
            let start = ContinuousClock.now
            // Twice the timeout, since the transport's own comes first where it works.
            let outcome = await bounded(timeout * 2) { () -> Result<ProviderAnswer, ProviderFailure> in
                do throws(ProviderFailure) {
                    return .success(try await transport.send(request, for: platform, timeout: timeout))
                } catch {
                    return .failure(error)
                }
            }
            observation.providerAnswered(platform.name, stage, in: ContinuousClock.now - start)
            guard let outcome else { throw ProviderFailure(failure: .retry, code: "timeout") }
            return try outcome.get()
        }
    }

    init(
        _ directory: PlatformDirectory, transport: any Transport, clock: any WallClock, timeout: Duration,
        observation: Observation, logger: Logger
    ) {
        let line = Line(transport: transport, timeout: timeout, observation: observation)
        self.line = line
        self.directory = directory
        discovery = Discovery(directory, clock: clock, logger: logger) {
            (request, platform) async throws(ProviderFailure) -> ProviderAnswer in
            try await line.send(request, platform, .validate)
        }
    }

    /// As ``PlatformDirectory/renews(_:)``.
    func renews(_ platform: PlatformName) -> Bool { directory.renews(platform) }

    /// - Throws: `no-platform`, `platform-unavailable`.
    func engine(for platform: PlatformName) async throws -> FlowEngine { try await discovery.engine(for: platform) }

    func send(
        _ request: ProviderRequest, _ platform: Platform, _ stage: FlowEngine.Stage
    ) async throws(ProviderFailure) -> ProviderAnswer {
        try await line.send(request, platform, stage)
    }

    /// Asks the platform whether an access token holds; returns when it does, or when there is nowhere to ask.
    ///
    /// - Throws: ``ProviderFailure``, class `reconnect` for a no; `settings`, `plugin`.
    func validate(_ token: Secret, _ engine: FlowEngine, now: Timestamp) async throws {
        guard let request = try await engine.validateRequest(accessToken: token) else { return }
        try await engine.readValidation(send(request, engine.platform, .validate), now: now)
    }
}

extension ProviderFailure {
    /// The same failure as people and programs outside see it.
    func error(at platform: PlatformName) -> VaultError {
        switch failure {
        case .reconnect, .restartLogin:
            VaultError(
                .reconnect, "\(platform) no longer accepts this connection (\(code))", hint: "connect \(platform) again"
            )
        case .retry:
            VaultError(
                .retry, "\(platform) gives no tokens for now (\(code))", hint: "try again later",
                retryAfter: retryAfter)
        case .operatorAction:
            VaultError(
                .operatorAction, "\(platform) refuses our registration there (\(code))",
                hint:
                    "compare client-id, client-secret and redirect-uri of [platforms.\(platform)] with the provider's "
                    + "console")
        }
    }
}
