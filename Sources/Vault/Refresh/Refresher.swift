import Logging
import Synchronization
import VaultBase
import VaultProviders
import VaultRecords

/// Redeems refresh tokens: one flight per connection, run to its end whatever becomes of those who wait.
///
/// A flight reads the connection again, commits to the journal that it is about to redeem, asks the provider,
/// and commits the answer before anybody gets it. What was sent is compared with what is stored before
/// anything is written: a new consent in between always wins, and a late refusal of an old token harms nothing.
final class Refresher: Sendable {
    /// What the asker wants of a flight.
    enum Demand: Sendable {
        /// A token that is not about to end.
        case fresh
        /// A redemption later than the generation the asker has seen.
        case newer(than: UInt64)
        /// What refresh-ahead asks: only if it is still due.
        case ahead
    }

    /// How a flight ended well.
    struct Landing: Sendable {
        var connection: Connection
        /// False when the flight found nothing to do.
        var redeemed: Bool
    }

    let records: Records
    let provider: ProviderCalls
    let options: VaultOptions
    let observation: Observation
    let logger: Logger
    let teller: Teller
    let cooldowns: Cooldowns
    let backoff = Backoff()
    /// New tokens whose refresh token is spent and which the store did not take yet: the only copy there is.
    let unsaved = Mutex<[ConnectionName: Unsaved]>([:])
    let flights = Flights<ConnectionName, Landing>()
    /// Connections that are being disconnected: a redemption begun now would bring tokens that nobody revokes.
    private let closing = Mutex<Set<ConnectionName>>([])

    init(
        records: Records, provider: ProviderCalls, options: VaultOptions, observation: Observation, logger: Logger,
        teller: Teller, cooldowns: Cooldowns
    ) {
        self.records = records
        self.provider = provider
        self.options = options
        self.observation = observation
        self.logger = logger
        self.teller = teller
        self.cooldowns = cooldowns
    }

    /// Joins the flight of this connection or starts one.
    func refresh(_ name: ConnectionName, _ demand: Demand) async throws -> Connection {
        // A flight that somebody else began for less than we ask may land without a redemption: then ours is next.
        for _ in 0..<3 {
            let landing = try await flights.join(name) { [self] in try await fly(name, demand) }
            guard case .newer(let generation) = demand, !landing.redeemed,
                landing.connection.generation == generation
            else { return landing.connection }
        }
        throw Self.busy(name)
    }

    /// The connection, or what it was redeemed for where that waits for the store.
    func newest(_ stored: Connection) -> Connection {
        guard let waiting = unsaved.withLock({ $0[stored.name] }), waiting.sent.isSameGrant(as: stored) else {
            return stored
        }
        return waiting.next
    }

    /// A new consent or a disconnect: what was remembered about the old grant no longer counts.
    func forget(_ name: ConnectionName) {
        backoff.forget(name)
        _ = unsaved.withLock { $0.removeValue(forKey: name) }
    }

    /// Waits for the flight under way and begins no other until `work` is done.
    func close<R: Sendable>(_ name: ConnectionName, during work: () async throws -> R) async rethrows -> R {
        _ = closing.withLock { $0.insert(name) }
        defer { _ = closing.withLock { $0.remove(name) } }
        await flights.settle(name)
        return try await work()
    }

    // MARK: A flight

    private func fly(_ name: ConnectionName, _ demand: Demand) async throws -> Landing {
        guard !closing.withLock({ $0.contains(name) }) else { throw Self.busy(name) }
        if let waiting = unsaved.withLock({ $0[name] }) { return try await save(waiting) }
        // The grant may change between reading it and the journal's commit; then look again.
        for _ in 0..<3 {
            let (found, leftover, now) = try records.read { view in
                (
                    try view.connection(name.user, name.platform), try view.redemption(name.user, name.platform),
                    view.now
                )
            }
            guard var connection = found else { throw Self.noConnection(name) }
            if let leftover {
                // Flights are one at a time, so this one was left by a process that died.
                connection = try await recover(leftover) ?? connection
            }
            guard try isWanted(connection, demand, now: now) else {
                return Landing(connection: connection, redeemed: false)
            }
            let engine = try await provider.engine(for: name.platform)
            try admit(connection, demand, engine.platform)
            if let landing = try await redeem(connection, engine) { return landing }
        }
        throw Self.busy(name)
    }

    private func isWanted(_ connection: Connection, _ demand: Demand, now: Timestamp) throws -> Bool {
        switch demand {
        case .fresh:
            let name = connection.platform
            switch Freshness.of(
                connection.token, at: name, margin: options.refreshMargin, now: now, renews: provider.renews(name))
            {
            case .fresh: return false
            case .stale: return true
            case .dead(let error): throw error
            }
        case .newer(let generation):
            return connection.generation == generation
        case .ahead:
            return connection.dueAt.map { $0 <= now } ?? false
        }
    }

    /// What forbids to send this refresh token now.
    private func admit(_ connection: Connection, _ demand: Demand, _ platform: Platform) throws {
        if case .reconnect(let reason) = connection.health { throw Freshness.reconnect(connection.platform, reason) }
        guard connection.refreshToken != nil || platform.provider.description.flow != .code else {
            throw Self.nothingToRedeem(connection, now: records.now)
        }
        // Who brought a connection before its platform was configured could not say of which client it is.
        guard connection.clientID.isEmpty || connection.clientID == platform.clientID else {
            throw VaultError(
                .reconnect, "the connection to \(connection.platform) was made with another client id",
                hint: "connect \(connection.platform) again, or set the former client-id back")
        }
        let now = records.now
        let isDoubtful = connection.health == .uncertain && platform.provider.description.refresh == .singleUse
        if isDoubtful {
            switch demand {
            // The one deliberate probe.
            case .newer: break
            // Without an access token there is nothing to lose: if the refresh token is spent, so is the grant.
            case .fresh where !connection.token.isAlive(at: now): break
            case .fresh, .ahead: throw Self.uncertain(connection.platform)
            }
        }
        if let wait = backoff.wait(connection.name, now: now) {
            if isDoubtful { throw Self.uncertain(connection.platform, retryAfter: wait) }
            throw VaultError(
                .retry, "\(connection.platform) failed a moment ago", hint: "try again later", retryAfter: wait)
        }
    }

    /// - Returns: nil when the stored grant is no longer the one that was read.
    private func redeem(_ connection: Connection, _ engine: FlowEngine) async throws -> Landing? {
        switch engine.platform.provider.description.flow {
        case .code: break
        case .clientCredentials: return try await renew(connection, engine)
        case .browserToken: return try await confirm(connection, engine)
        }
        guard let refreshToken = connection.refreshToken else {
            throw Self.nothingToRedeem(connection, now: records.now)
        }
        let request = try await engine.refreshRequest(refreshToken: refreshToken, scope: connection.scope)
        let intent = Redemption(
            user: connection.user, platform: connection.platform, generation: connection.generation,
            begunAt: records.now)
        let begun = try await records.write(for: .saving) { transaction in
            guard let current = try transaction.connection(connection.user, connection.platform),
                current.isSameGrant(as: connection)
            else { return false }
            try transaction.begin(intent)
            return true
        }
        guard begun else { return nil }
        let outcome: Result<TokenGrant, ProviderFailure>
        do throws(ProviderFailure) {
            let answer = try await provider.send(request, engine.platform, .refresh)
            outcome = .success(try await engine.readTokens(answer, stage: .refresh, now: records.clock.now()))
        } catch {
            outcome = .failure(error)
        }
        return try await settle(outcome, of: connection, engine)
    }

    /// Stores what came of asking the provider.
    func settle(
        _ outcome: Result<TokenGrant, ProviderFailure>, of sent: Connection, _ engine: FlowEngine
    ) async throws -> Landing {
        switch outcome {
        case .success(let grant):
            var next = sent
            next.generation += 1
            next.clientID = engine.platform.clientID
            Lifetimes(options: options, description: engine.platform.provider.description)
                .apply(grant, to: &next, now: records.now)
            let missing = Scope.missing(grant.scope, of: sent.scope)
            return try await save(Unsaved(sent: sent, next: next, missingScope: missing))
        case .failure(let failure):
            return try await record(failure, of: sent, engine.platform)
        }
    }

    // MARK: Errors

    static func noConnection(_ name: ConnectionName) -> VaultError {
        VaultError(
            .noConnection, "\(name.user) has no connection at \(name.platform)",
            hint: "connect \(name.platform) first")
    }

    static func nothingToRedeem(_ connection: Connection, now: Timestamp) -> VaultError {
        guard connection.token.isAlive(at: now) else {
            return Freshness.reconnect(connection.platform, "no-refresh-token")
        }
        return VaultError(
            .forbidden, "\(connection.platform) gave no refresh token for this connection",
            hint: "use the access token while it lasts")
    }

    static func busy(_ name: ConnectionName) -> VaultError {
        VaultError(.retry, "the connection to \(name.platform) is busy", hint: "try again", retryAfter: .seconds(1))
    }

    static func uncertain(_ platform: PlatformName, retryAfter: Duration? = nil) -> VaultError {
        VaultError(
            .uncertain, "a refresh at \(platform) was interrupted and its outcome is not known",
            hint: "ask again later: \(platform) is then asked once more, and says what became of it",
            retryAfter: retryAfter)
    }
}
