import Logging
public import VaultBase
import VaultProviders
import VaultRecords

extension Vault {
    /// The access token, refreshed only when it is about to expire.
    ///
    /// A token that is still valid is handed out also when its refresh fails for now. Of a connection whose last
    /// redemption's outcome is not known it is handed out while it lives; then the provider is asked, once.
    /// - Throws: `no-platform`, `no-connection`, `reconnect`, `uncertain`, `retry`, `operator`,
    ///   `platform-unavailable`.
    public func token(for user: UserID, at platform: PlatformName) async throws -> AccessToken {
        observation.tokenRead(platform)
        if let token = try freshToken(for: user, at: platform) { return token }
        do {
            return try accessToken(try await refresher.refresh(ConnectionName(user: user, platform: platform), .fresh))
        } catch {
            // The grant may have been refused, replaced or deleted by now; what counts is what is stored.
            let (latest, now) = try records.token(of: user, at: platform)
            guard let latest, latest.isAlive(at: now) else { throw error }
            return try accessToken(latest, of: platform)
        }
    }

    /// What ``session(_:)`` and ``token(for:at:)`` answer together, where there is nothing to wait for and nothing to
    /// explain; nil where there is, and then nothing was counted.
    ///
    /// May be asked where nobody may wait: on an event loop.
    public func tokenAtHand(_ session: Secret, at platform: PlatformName) -> AccessToken? {
        guard let session = try? heldSession(session), let token = try? freshToken(for: session.user, at: platform)
        else { return nil }
        observation.sessionChecked(true)
        observation.tokenRead(platform)
        return token
    }

    /// The access token where it need not be refreshed. The hot path: one read, nothing to wait for.
    private func freshToken(for user: UserID, at platform: PlatformName) throws -> AccessToken? {
        let (found, now) = try records.token(of: user, at: platform)
        guard let found else { throw missing(user, platform) }
        let freshness = Freshness.of(
            found, at: platform, margin: options.refreshMargin, now: now, renews: platforms.renews(platform))
        switch freshness {
        case .fresh: return try accessToken(found, of: platform)
        case .dead(let error): throw error
        case .stale: return nil
        }
    }

    /// Always a new redemption; concurrent callers share one.
    ///
    /// Of a connection whose last redemption's outcome is not known, this is the one deliberate probe, made also while
    /// the access token lives. A token that came from the browser cannot be redeemed: the platform is asked whether it holds.
    public func refresh(_ user: UserID, at platform: PlatformName) async throws -> AccessToken {
        guard let connection = try records.read({ try $0.connection(user, platform) }) else {
            throw missing(user, platform)
        }
        return try accessToken(try await refresher.refresh(connection.name, .newer(than: connection.generation)))
    }

    private func accessToken(_ connection: Connection) throws(VaultError) -> AccessToken {
        try accessToken(connection.token, of: connection.platform)
    }

    private func accessToken(_ token: StoredToken, of platform: PlatformName) throws(VaultError) -> AccessToken {
        AccessToken(
            accessToken: token.accessToken, tokenType: token.tokenType, expiresAt: token.expiresAt.map(records.outside),
            scope: token.scope,
            clientToken: try platforms.clientTokens(of: platform)?.token(at: records.clock.now()))
    }

    func missing(_ user: UserID, _ platform: PlatformName) -> VaultError {
        if !platforms.entries.contains(where: { $0.name == platform }) {
            return VaultError(
                .noPlatform, "no platform \(platform) is configured",
                hint: "see the platforms there are with: vault plugins")
        }
        return Refresher.noConnection(ConnectionName(user: user, platform: platform))
    }
}
