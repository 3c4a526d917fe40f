import Logging
import Synchronization
import VaultBase
import VaultProviders

/// The flow engine of each platform, with the endpoints its metadata names where they come by discovery.
///
/// Metadata is fetched when it is first needed, once for all who ask meanwhile, and again after an hour; when
/// that fails, what was known before goes on being used. Nothing known and no answer: the platform is
/// unavailable for now, and nobody asks again for a few seconds.
final class Discovery: Sendable {
    static let lifetime = Duration.seconds(3600)
    /// How long a failure stands before the next attempt.
    static let patience = Duration.seconds(5)

    private struct Known {
        var engine: FlowEngine
        /// Of the platform it was made for: a platform that changed is not known any more.
        var generation: UInt64
        var fetchedAt: Timestamp
        var nextAttempt: Timestamp
    }
    private struct Table {
        var known: [PlatformName: Known] = [:]
        var failures: [PlatformName: (VaultError, generation: UInt64, until: Timestamp)] = [:]
    }
    private struct Flight: Hashable {
        var name: PlatformName
        var generation: UInt64
    }

    private let directory: PlatformDirectory
    private let clock: any WallClock
    private let logger: Logger
    private let table = Mutex(Table())
    private let flights = Flights<Flight, FlowEngine>()
    private let send: @Sendable (ProviderRequest, Platform) async throws(ProviderFailure) -> ProviderAnswer

    init(
        _ directory: PlatformDirectory, clock: any WallClock, logger: Logger,
        send: @escaping @Sendable (ProviderRequest, Platform) async throws(ProviderFailure) -> ProviderAnswer
    ) {
        self.directory = directory
        self.clock = clock
        self.logger = logger
        self.send = send
    }

    /// - Throws: `no-platform`, `platform-unavailable`.
    func engine(for name: PlatformName) async throws -> FlowEngine {
        let now = clock.now()
        let (platform, generation) = try directory.current(name)
        let (known, failure) = table.withLock { table in
            (
                table.known[name].flatMap { $0.generation == generation ? $0 : nil },
                table.failures[name].flatMap { $0.generation == generation ? $0 : nil }
            )
        }
        // A clock set back does not keep metadata for ever.
        if let known, now < known.nextAttempt, now >= known.fetchedAt { return known.engine }
        if known == nil, let failure, now < failure.until {
            var error = failure.0
            error.retryAfter = failure.until - now
            throw error
        }
        let engine = FlowEngine(platform, clock: clock)
        let requests = engine.discoveryRequests
        guard !requests.isEmpty else {
            table.withLock {
                $0.known[name] = Known(
                    engine: engine, generation: generation, fetchedAt: now, nextAttempt: Timestamp(rawValue: .max))
            }
            return engine
        }
        return try await flights.join(Flight(name: name, generation: generation)) { [self] in
            try await fetch(requests, for: engine, generation)
        }
    }

    private func fetch(
        _ requests: [ProviderRequest], for engine: FlowEngine, _ generation: UInt64
    ) async throws -> FlowEngine {
        let platform = engine.platform
        do throws(ProviderFailure) {
            var answer = try await send(requests[0], platform)
            for request in requests.dropFirst() where answer.status == 404 {
                answer = try await send(request, platform)
            }
            let found = FlowEngine(try engine.discovered(answer), clock: clock)
            let now = clock.now()
            table.withLock {
                $0.known[platform.name] = Known(
                    engine: found, generation: generation, fetchedAt: now, nextAttempt: now + Self.lifetime)
                $0.failures[platform.name] = nil
            }
            logger.info("discovery.done", metadata: facts(nil, platform.name))
            return found
        } catch {
            logger.warning("discovery.failed", metadata: facts(nil, platform.name, ["code": "\(error.code)"]))
            let now = clock.now()
            let fault = VaultError(
                .platformUnavailable, "the metadata of \(platform.name) cannot be had (\(error.code))",
                hint: error.failure == .retry
                    ? "try again in a moment" : "check issuer in [platforms.\(platform.name)]",
                retryAfter: Self.patience)
            let earlier = table.withLock { table -> FlowEngine? in
                if table.known[platform.name]?.generation == generation {
                    table.known[platform.name]?.nextAttempt = now + Self.patience
                    return table.known[platform.name]?.engine
                }
                table.failures[platform.name] = (fault, generation, until: now + Self.patience)
                return nil
            }
            guard let earlier else { throw fault }
            return earlier
        }
    }
}
