import Logging
public import VaultBase
import VaultProviders
import VaultRecords

extension Vault {
    /// Revokes at the provider where that can be done, deletes here always.
    ///
    /// Runs to its end whatever becomes of the caller; two tries, then the truth: `yes` the provider said so,
    /// `no` it refused or could not be reached, `unsupported` it has no revocation, `pending` it is still
    /// being asked while this answers.
    /// - Throws: `no-connection`, and the store's errors when it could not be deleted.
    public func disconnect(_ user: UserID, from platform: PlatformName) async throws -> Disconnection {
        let name = ConnectionName(user: user, platform: platform)
        return try await disconnections.join(name) { [self] in
            // A refresh under way would leave tokens at the provider that nobody knows.
            await refresher.flights.settle(name)
            var connection: Connection?
            do {
                connection = try records.read { try $0.connection(user, platform) }
                if connection == nil { throw missing(user, platform) }
            } catch let error as VaultError where error.code == .damaged {
                // What does not open cannot be revoked, but it can be deleted.
                connection = nil
            }
            var revoked = await revocation(of: connection)
            let last = try await records.write { try $0.delete(user, platform) }
            refresher.forget(name)
            if let last, let connection, !last.isSameGrant(as: connection), revoked == .yes {
                // It was refreshed while the older tokens were being revoked.
                revoked = await revocation(of: last)
            }
            logger.info("disconnect.done", metadata: facts(user, platform, ["revoked": "\(revoked)"]))
            observation.disconnect(platform, revoked.rawValue)
            return Disconnection(deleted: true, revoked: revoked)
        }
    }

    private func revocation(of connection: Connection?) async -> Disconnection.Revocation {
        guard let connection else { return .no }
        return await bounded(options.revocationPatience) { await self.revoke(connection) } ?? .pending
    }

    private func revoke(_ connection: Connection) async -> Disconnection.Revocation {
        do {
            let engine = try await provider.engine(for: connection.platform)
            let requests = try await engine.revocationRequests(
                accessToken: connection.accessToken, refreshToken: connection.refreshToken)
            guard !requests.isEmpty else { return .unsupported }
            for request in requests { try await revoke(request, engine) }
            return .yes
        } catch {
            let code = (error as? ProviderFailure)?.code ?? (error as? VaultError)?.code.name ?? "internal"
            logger.warning(
                "disconnect.refused", metadata: facts(connection.user, connection.platform, ["code": "\(code)"]))
            return .no
        }
    }

    private func revoke(_ request: ProviderRequest, _ engine: FlowEngine) async throws {
        for attempt in 1...2 {
            do throws(ProviderFailure) {
                let answer = try await provider.send(request, engine.platform, .revoke)
                return try await engine.readRevocation(answer)
            } catch {
                guard attempt == 1, error.failure == .retry else { throw error }
                try await Task.sleep(for: min(error.retryAfter ?? .milliseconds(200), .seconds(2)))
            }
        }
    }
}
