import Logging
import VaultBase
import VaultProviders
import VaultRecords

/// The duty of some platforms to be asked, at start and every so often, whether a token still holds (Twitch: hourly).
enum Validations {
    static let interval = Duration.seconds(5)
    /// When to ask again after a failure that says nothing about the token.
    static let postponement = Duration.seconds(600)
}

extension Vault {
    /// One round: what is due, earliest first, within each platform's budget, as in refresh-ahead.
    func validate() async throws {
        let due = try records.validationsDue(before: records.now, limit: RefreshAhead.batch)
        let lanes = try lanes(of: due)
        await withDiscardingTaskGroup { group in
            for (platform, lane) in lanes {
                group.addTask {
                    var failures = 0
                    for name in lane where failures < RefreshAhead.patience && self.isCallable(platform) {
                        if await !self.validate(name) { failures += 1 }
                    }
                }
            }
        }
    }

    /// False when the platform did not say.
    private func validate(_ name: ConnectionName) async -> Bool {
        // One that is gone, or does not open, says nothing of its platform.
        guard let connection = try? records.read({ try $0.connection(name.user, name.platform) }) else { return true }
        guard let engine = try? await provider.engine(for: name.platform) else { return false }
        let lifetimes = Lifetimes(options: options, description: engine.platform.provider.description)
        // Of a token that has ended there is nothing to ask; the next one is due in its own time.
        guard connection.token.isAlive(at: records.now) else {
            await schedule(connection, nil)
            return true
        }
        do {
            try await provider.validate(connection.accessToken, engine, now: records.clock.now())
            observation.validation(name.platform, "ok")
            await schedule(connection, lifetimes.validation(connection, now: records.now))
            return true
        } catch {
            // What is no answer of the platform's is a fault of our settings.
            let failure = error as? ProviderFailure ?? ProviderFailure(failure: .operatorAction, code: "unsent")
            observation.validation(name.platform, failure.failure.rawValue)
            logger.notice(
                "validation.failed",
                metadata: facts(
                    name.user, name.platform, ["class": "\(failure.failure.rawValue)", "code": "\(failure.code)"]))
            guard failure.failure == .reconnect else {
                await postpone(connection, after: failure)
                return false
            }
            await refuse(connection, failure)
            return true
        }
    }

    /// The access token is dead. Whether the grant is, a redemption tells; without a refresh token it is.
    private func refuse(_ connection: Connection, _ failure: ProviderFailure) async {
        guard connection.refreshToken == nil, !platforms.renews(connection.platform) else {
            do {
                _ = try await refresher.refresh(connection.name, .newer(than: connection.generation))
            } catch {
                await postpone(connection, after: failure)
            }
            return
        }
        let teller = teller
        try? await records.write(for: .saving) { transaction in
            guard var current = try transaction.connection(connection.user, connection.platform),
                current.isSameGrant(as: connection)
            else { return }
            let before = current.health
            current.health = .reconnect(reason: failure.code)
            current.validateAt = nil
            try transaction.put(current, expecting: current.version)
            try teller.tellChange(from: before, to: current, in: transaction)
        }
        teller.ring()
    }

    private func postpone(_ connection: Connection, after failure: ProviderFailure) async {
        let now = records.now
        let cooling = cooldowns.note(failure, at: connection.platform, now: now)
        await schedule(connection, now + max(Validations.postponement, failure.retryAfter ?? .zero), cooling: cooling)
    }

    /// Sets when to ask next, unless the connection has changed: then that was set with the change.
    private func schedule(_ connection: Connection, _ time: Timestamp?, cooling: Timestamp? = nil) async {
        try? await records.write(for: .saving) { transaction in
            if let cooling { try transaction.cool(connection.platform, until: cooling) }
            guard var current = try transaction.connection(connection.user, connection.platform),
                current.isSameGrant(as: connection), current.validateAt == connection.validateAt
            else { return }
            current.validateAt = current.health.isDead ? nil : time
            try transaction.put(current, expecting: current.version)
        }
    }
}
