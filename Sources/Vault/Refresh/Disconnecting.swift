import Logging
public import VaultBase
import VaultProviders
import VaultRecords

extension Vault {
    /// Revokes at the provider where that can be done, deletes here always.
    ///
    /// Runs to its end whatever becomes of the caller; two tries, then the truth: `yes` the provider said so,
    /// `no` it refused, `unsupported` it revokes no such tokens, `pending` it could not be reached or takes long: the
    /// tokens are kept for the revocation alone and it is tried again, for ``VaultOptions/revocationLifetime`` at most.
    ///
    /// - Parameter by: who asked, where it was not the user.
    /// - Throws: `no-connection`, and the store's errors when it could not be deleted.
    public func disconnect(
        _ user: UserID, from platform: PlatformName, by: String? = nil
    ) async throws -> Disconnection {
        let name = ConnectionName(user: user, platform: platform)
        return try await disconnections.join(name) { [self] in
            // A refresh under way, or one begun meanwhile, would leave tokens at the provider that nobody knows.
            let revoked = try await refresher.close(name) { [self] in
                var stored: Connection?
                do {
                    stored = try records.read { try $0.connection(user, platform) }
                    if stored == nil { throw missing(user, platform) }
                } catch let error as VaultError where error.code == .damaged {
                    // What does not open cannot be revoked, but it can be deleted.
                    stored = nil
                }
                let newest = stored.map { refresher.newest($0) }
                let revoked = try await delete(
                    name, stored, newest: newest, revoked: await revocation(of: newest), by: by)
                refresher.forget(name)
                return revoked
            }
            logger.info("disconnect.done", metadata: facts(user, platform, ["revoked": "\(revoked)"]))
            observation.disconnect(platform, revoked.rawValue)
            return Disconnection(deleted: true, revoked: revoked)
        }
    }

    /// Deletes the connection and keeps what is still to be revoked, in one transaction.
    ///
    /// - Parameter newest: `stored`, or what was redeemed for it and waits for the store.
    private func delete(
        _ name: ConnectionName, _ stored: Connection?, newest: Connection?, revoked: Disconnection.Revocation,
        by: String?
    ) async throws -> Disconnection.Revocation {
        let (teller, lifetime) = (teller, options.revocationLifetime)
        let outcome: Disconnection.Revocation = try await records.write(for: .shrinking) { transaction in
            let last = try transaction.delete(name.user, name.platform)
            var (revoked, kept) = (revoked, newest)
            if let last, let stored, !last.isSameGrant(as: stored) {
                // It was connected anew while the older tokens were being revoked.
                kept = last
                if revoked == .yes { revoked = .pending }
            }
            if revoked == .pending, let kept = kept ?? last {
                try transaction.put(PendingRevocation(kept, now: transaction.now, lifetime: lifetime))
            }
            try teller.tell(.revoked, name, .init(revoked: revoked.rawValue, by: by), in: transaction)
            return revoked
        }
        teller.ring()
        return outcome
    }

    private func revocation(of connection: Connection?) async -> Disconnection.Revocation {
        guard let connection else { return .no }
        return await bounded(options.revocationPatience) {
            await self.revoke(
                connection.accessToken, connection.refreshToken, of: connection.name, tries: 2)
        } ?? .pending
    }

    /// Asks the provider, `tries` times; `pending` when it could not be asked or could not do it now.
    func revoke(
        _ accessToken: Secret, _ refreshToken: Secret?, of name: ConnectionName, tries: Int
    ) async -> Disconnection.Revocation {
        do {
            let engine = try await provider.engine(for: name.platform)
            var plan = engine.revocationPlan(accessToken: accessToken, refreshToken: refreshToken)
            while let request = try await engine.revocationRequest(plan, accessToken: accessToken) {
                do {
                    try await revoke(request, engine, tries)
                    plan.taken()
                } catch let failure as ProviderFailure {
                    try plan.refused(failure)
                }
            }
            return plan.isDone ? .yes : .unsupported
        } catch {
            let failure = error as? ProviderFailure
            let code = failure?.code ?? (error as? VaultError)?.code.name ?? "internal"
            logger.warning("disconnect.refused", metadata: facts(name.user, name.platform, ["code": "\(code)"]))
            if let failure, let until = cooldowns.note(failure, at: name.platform, now: records.now) {
                try? await records.write(for: .saving) { try $0.cool(name.platform, until: until) }
            }
            let mayWorkLater: [VaultError.Code] = [.retry, .platformUnavailable]
            let isTemporary = failure.map { $0.failure == .retry } ?? mayWorkLater.contains { $0.name == code }
            return isTemporary ? .pending : .no
        }
    }

    private func revoke(_ request: ProviderRequest, _ engine: FlowEngine, _ tries: Int) async throws {
        for attempt in 1...tries {
            do throws(ProviderFailure) {
                let answer = try await provider.send(request, engine.platform, .revoke)
                return try await engine.readRevocation(answer, now: records.clock.now())
            } catch {
                guard attempt < tries, error.failure == .retry else { throw error }
                try await Task.sleep(for: min(error.retryAfter ?? .milliseconds(200), .seconds(2)))
            }
        }
    }
}

extension PendingRevocation {
    /// What is kept of a connection that is no more, no longer than it could be worth anything.
    fileprivate init(_ connection: Connection, now: Timestamp, lifetime: Duration) {
        self.init(
            user: connection.user, platform: connection.platform, subject: connection.subject,
            accessToken: connection.accessToken, refreshToken: connection.refreshToken,
            nextAt: now + Revocations.base,
            endsAt: min(connection.deadAt(renews: false) ?? .init(rawValue: .max), now + lifetime))
    }
}
