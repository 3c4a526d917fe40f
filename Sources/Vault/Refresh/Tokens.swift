import Logging
public import VaultBase
import VaultProviders
import VaultRecords

extension Vault {
    /// The access token, refreshed only when it is about to expire. The hot path: one read, no hop.
    ///
    /// A token that is still valid is handed out also when its refresh fails for now.
    /// - Throws: `no-platform`, `no-connection`, `reconnect`, `uncertain`, `retry`, `operator`,
    ///   `platform-unavailable`.
    public func token(for user: UserID, at platform: PlatformName) async throws -> AccessToken {
        observation.tokenRead(platform)
        let (found, now) = try records.read { (try $0.connection(user, platform), $0.now) }
        guard let connection = found else { throw missing(user, platform) }
        let freshness = Freshness.of(
            connection, margin: options.refreshMargin, now: now, renews: platforms.renews(platform))
        switch freshness {
        case .fresh: return try accessToken(of: connection)
        case .dead(let error): throw error
        case .stale: break
        }
        do {
            return try accessToken(of: try await refresher.refresh(connection.name, .fresh))
        } catch {
            // The grant may have been refused, replaced or deleted by now; what counts is what is stored.
            let (latest, now) = try records.read { (try $0.connection(user, platform), $0.now) }
            guard let latest, latest.isAlive(at: now) else { throw error }
            return try accessToken(of: latest)
        }
    }

    /// Always a new redemption; concurrent callers share one.
    ///
    /// Of a connection whose last redemption's outcome is not known, this is the one deliberate probe. A token that came
    /// from the browser cannot be redeemed: the platform is asked whether it holds.
    public func refresh(_ user: UserID, at platform: PlatformName) async throws -> AccessToken {
        guard let connection = try records.read({ try $0.connection(user, platform) }) else {
            throw missing(user, platform)
        }
        return try accessToken(
            of: try await refresher.refresh(connection.name, .newer(than: connection.generation)))
    }

    private func accessToken(of connection: Connection) throws(VaultError) -> AccessToken {
        let signer = platforms.clientTokens(of: connection.platform)
        return AccessToken(
            accessToken: connection.accessToken, tokenType: connection.tokenType, expiresAt: connection.expiresAt,
            scope: connection.scope, clientToken: try signer?.token(at: records.clock.now()))
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
