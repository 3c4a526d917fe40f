import Logging
import VaultBase
import VaultCrypto
import VaultProviders
import VaultRecords

// Platforms where the application has tokens of its own and nobody consents (RFC 6749 §4.4). Whoever has such a
// connection acts in the application's name: an operator makes it, no browser can.

extension Vault {
    /// Whether a refresh of this connection, asked for by the operator, is to make it.
    func connectsItself(_ user: UserID, to platform: PlatformName) throws -> Bool {
        guard platforms.renews(platform) else { return false }
        return try records.read { try $0.connection(user, platform) } == nil
    }

    /// Connects a user with the client's own tokens.
    ///
    /// - Throws: `operator`, `retry`, `platform-unavailable`, `conflict`, and the store's errors.
    func connectItself(_ user: UserID, to platform: PlatformName) async throws {
        let engine = try await provider.engine(for: platform)
        let description = engine.platform.provider.description
        let scope = engine.defaultScopes.joined(separator: " ")
        let now = records.now
        let grant: TokenGrant
        switch try await provider.ownTokens(engine, scope: scope, now: records.clock.now()) {
        case .success(let found): grant = found
        case .failure(let failure): throw failure.error(at: platform)
        }
        var connection = Connection(
            user: user, platform: platform, accessToken: grant.accessToken, scope: scope, createdAt: now,
            updatedAt: now, consentedAt: now, subject: Random.token(bytes: 16),
            displayName: engine.platform.displayName,
            clientID: engine.platform.clientID)
        Lifetimes(options: options, description: description).apply(grant, to: &connection, now: now)
        let (new, teller) = (connection, teller)
        try await records.write { transaction in
            guard try transaction.connection(user, platform) == nil else {
                throw VaultError(.conflict, "\(user) is connected to \(platform) already", hint: "try again")
            }
            try transaction.put(new, expecting: nil)
            try transaction.setUser(user, of: new.subject, at: platform)
            try teller.tell(.connected, new, .init(by: "operator"), in: transaction)
        }
        teller.ring()
        logger.info("connection.made", metadata: facts(user, platform))
    }
}
