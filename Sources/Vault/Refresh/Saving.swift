import Logging
import Synchronization
import VaultBase
import VaultProviders
import VaultRecords

/// New tokens on their way to the store, with the grant whose refresh token was spent for them.
struct Unsaved: Sendable {
    var sent: Connection
    var next: Connection
    /// What the provider took away from the scope.
    var missingScope: String?
}

extension Refresher {
    private enum Written: Sendable {
        case done(Connection)
        /// A newer grant is there; it stays.
        case overtaken(Connection)
        case gone
    }

    /// Commits new tokens and clears the journal in one transaction.
    ///
    /// When the store does not take them, they are kept in memory and tried again: a few times now, then by
    /// every later flight and by the service's own rounds. Until they are durable nobody gets them.
    /// - Throws: the store's error; `no-connection` when it was deleted meanwhile.
    func save(_ tokens: Unsaved) async throws -> Landing {
        let name = tokens.sent.name
        unsaved.withLock { $0[name] = tokens }
        var failure = VaultError(.internal, "nothing was tried")
        for attempt in 0..<3 {
            if attempt > 0 { try? await Task.sleep(for: .milliseconds(20 << attempt)) }
            do {
                let written = try await write(tokens)
                _ = unsaved.withLock { $0.removeValue(forKey: name) }
                backoff.forget(name)
                return try land(written, name)
            } catch {
                failure = (error as? VaultError) ?? VaultError(.internal, "the store failed", cause: error)
                if failure.code == .unknownOutcome || failure.code == .noConnection { break }
            }
        }
        guard failure.code != .noConnection else { throw failure }
        logger.error(
            "refresh.unsaved", metadata: facts(name.user, name.platform, ["code": "\(failure.code)"]))
        observation.refresh(name.platform, "unsaved")
        throw VaultError(
            failure.code, "the new tokens of \(name.platform) could not be stored: \(failure.message)",
            hint: failure.hint ?? "they are kept in memory and stored as soon as the store takes them",
            retryAfter: .seconds(5), cause: failure)
    }

    private func write(_ tokens: Unsaved) async throws -> Written {
        let name = tokens.sent.name
        let teller = teller
        let written: Written = try await records.write(for: .saving) { transaction in
            try transaction.endRedemption(name.user, name.platform)
            guard let current = try transaction.connection(name.user, name.platform) else { return .gone }
            guard current.isSameGrant(as: tokens.sent) else { return .overtaken(current) }
            var next = tokens.next
            next.version = try transaction.put(next, expecting: current.version)
            try teller.tellChange(from: current.health, to: next, in: transaction)
            if let missing = tokens.missingScope {
                try teller.tell(.scopeNarrowed, next, .init(missingScope: missing), in: transaction)
            }
            return .done(next)
        }
        teller.ring()
        return written
    }

    private func land(_ written: Written, _ name: ConnectionName) throws -> Landing {
        switch written {
        case .done(let connection):
            logger.info(
                "refresh.done",
                metadata: facts(name.user, name.platform, ["generation": "\(connection.generation)"]))
            observation.refresh(name.platform, "ok")
            return Landing(connection: connection, redeemed: true)
        case .overtaken(let connection):
            logger.info("refresh.overtaken", metadata: facts(name.user, name.platform))
            observation.refresh(name.platform, "overtaken")
            return Landing(connection: connection, redeemed: true)
        case .gone:
            throw Self.noConnection(name)
        }
    }

    // MARK: Failures

    /// Writes down what a failed redemption means for the connection and clears the journal, in one
    /// transaction; then throws, or lands on the newer grant that was there already.
    func record(_ failure: ProviderFailure, of sent: Connection, _ platform: Platform) async throws -> Landing {
        let name = sent.name
        let now = records.now
        let isDead = failure.failure == .reconnect || failure.failure == .restartLogin
        // A provider that is slow may still be at it: a probe now would be the second use of its token.
        let patience = failure.code == "timeout" ? options.providerTimeout * 2 : .zero
        let wait =
            isDead ? .zero : backoff.failed(name, now: now, retryAfter: max(failure.retryAfter ?? .zero, patience))
        // A token that may be sent only once may be spent although we have no answer.
        let isSingleUse = platform.provider.description.refresh == .singleUse
        let isDoubtful = failure.leavesDoubt && isSingleUse
        let cooling = cooldowns.note(failure, at: name.platform, now: now)
        let teller = teller
        let written: Written = try await records.write(for: .saving) { transaction in
            if let cooling { try transaction.cool(name.platform, until: cooling) }
            try transaction.endRedemption(name.user, name.platform)
            guard let current = try transaction.connection(name.user, name.platform) else { return .gone }
            guard current.isSameGrant(as: sent) else { return .overtaken(current) }
            var next = current
            if isDead {
                next.health = .reconnect(reason: failure.code)
            } else if failure.failure == .operatorAction {
                // Refused before it looked at the token: whether that is spent is as doubtful as it was.
                if !(isSingleUse && current.health == .uncertain) {
                    next.health = .operatorAction(reason: failure.code)
                }
            } else if isDoubtful {
                next.health = .uncertain
            }
            // Refresh-ahead comes back when it may, and not at all to what needs a person.
            let waitsForSomebody = isDead || next.health == .uncertain
            next.dueAt = waitsForSomebody ? nil : current.dueAt.map { _ in now + wait }
            if next != current { next.version = try transaction.put(next, expecting: current.version) }
            try teller.tellChange(from: current.health, to: next, in: transaction)
            return .done(next)
        }
        teller.ring()
        if case .done(let connection) = written {
            let isUnknown = connection.health == .uncertain && failure.failure == .retry
            let outcome = isUnknown ? "uncertain" : failure.failure.rawValue
            observation.refresh(name.platform, outcome)
            logger.warning(
                "refresh.failed",
                metadata: facts(
                    name.user, name.platform,
                    [
                        "class": "\(outcome)", "code": "\(failure.code)",
                        "status": "\(failure.status.map(String.init) ?? "none")",
                    ]))
            if isDead { throw Freshness.reconnect(connection.platform, failure.code) }
            var error = failure.error(at: name.platform)
            if failure.failure == .retry { error.retryAfter = wait }
            throw error
        }
        return try land(written, name)
    }

    // MARK: What a crash left behind

    /// Marks the connection whose redemption was begun and never finished, and clears the journal. The token
    /// itself is not sent: whoever refreshes next does that, or whoever asks when the access token has ended.
    ///
    /// - Returns: the connection as it is now; nil when there is none.
    func recover(_ leftover: Redemption) async throws -> Connection? {
        let name = ConnectionName(user: leftover.user, platform: leftover.platform)
        let teller = teller
        let connection: Connection? = try await records.write(for: .saving) { transaction in
            let current = try transaction.connection(name.user, name.platform)
            guard try transaction.redemption(name.user, name.platform) == leftover else { return current }
            try transaction.endRedemption(name.user, name.platform)
            guard var next = current else { return nil }
            // The new tokens and the journal's end are one transaction: same generation, so they never came.
            guard next.generation == leftover.generation else { return next }
            if next.health.isDead { return next }
            let before = next.health
            next.health = .uncertain
            next.dueAt = nil
            next.version = try transaction.put(next, expecting: next.version)
            try teller.tellChange(from: before, to: next, in: transaction)
            return next
        }
        teller.ring()
        logger.warning(
            "refresh.interrupted",
            metadata: facts(name.user, name.platform, ["generation": "\(leftover.generation)"]))
        observation.refresh(name.platform, "interrupted")
        return connection
    }
}
