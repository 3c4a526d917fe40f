import VaultBase
import VaultProviders
import VaultRecords

// The flows without refresh tokens. Nothing is spent by asking, so no redemption is written to the journal.

extension Refresher {
    /// The client's own token, asked for anew (RFC 6749 §4.4.3: a refresh token that came along is not used).
    func renew(_ connection: Connection, _ engine: FlowEngine) async throws -> Landing {
        try await settle(
            provider.ownTokens(engine, scope: connection.scope, now: records.clock.now()), of: connection, engine)
    }

    /// A token that came from the browser cannot be renewed. The platform is asked whether it holds: a no marks the
    /// connection, a yes clears an earlier doubt.
    func confirm(_ connection: Connection, _ engine: FlowEngine) async throws -> Landing {
        do {
            try await provider.validate(connection.accessToken, engine, now: records.clock.now())
        } catch let failure as ProviderFailure {
            return try await record(failure, of: connection, engine.platform)
        }
        var next = connection
        next.generation += 1
        next.updatedAt = records.now
        next.health = .healthy
        return try await save(Unsaved(sent: connection, next: next))
    }
}

extension ProviderCalls {
    /// Asks for the client's own tokens.
    ///
    /// - Throws: `settings`, `plugin`: nothing was sent then.
    func ownTokens(
        _ engine: FlowEngine, scope: String, now: Timestamp
    ) async throws(VaultError) -> Result<TokenGrant, ProviderFailure> {
        let request = try await engine.clientCredentialsRequest(scope: scope)
        do throws(ProviderFailure) {
            let answer = try await send(request, engine.platform, .exchange)
            var grant = try await engine.readTokens(answer, stage: .exchange, now: now)
            grant.refreshToken = nil
            return .success(grant)
        } catch { return .failure(error) }
    }
}
