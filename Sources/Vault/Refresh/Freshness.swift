import VaultBase
import VaultRecords

/// What a connection's access token is worth at a moment.
enum Freshness {
    /// Hand it out.
    case fresh
    /// It ends soon or has ended, and there is a way to a new one.
    case stale
    /// Only a new consent helps.
    case dead(VaultError)

    /// - Parameter margin: how long before its end a token counts as stale; at most half the token's life, or
    ///   a provider of short-lived tokens would be asked at every read.
    /// - Parameter renews: whether a new token is had without a refresh token; asked only near the end.
    static func of(
        _ connection: Connection, margin: Duration, now: Timestamp, renews: @autoclosure () -> Bool
    ) -> Freshness {
        if case .reconnect(let reason) = connection.health { return .dead(reconnect(connection, reason)) }
        guard let ends = connection.expiresAt else { return .fresh }
        let life = ends - connection.updatedAt
        if now < ends - (life > .zero ? min(margin, life / 2) : margin) { return .fresh }
        if connection.refreshToken != nil || renews() { return .stale }
        return now < ends ? .fresh : .dead(reconnect(connection, "no-refresh-token"))
    }

    static func reconnect(_ connection: Connection, _ reason: String) -> VaultError {
        VaultError(
            .reconnect, "the connection to \(connection.platform) has ended (\(reason))",
            hint: "connect \(connection.platform) again")
    }
}

extension Connection {
    var name: ConnectionName { ConnectionName(user: user, platform: platform) }

    /// Whether `other` holds the very grant that was sent: same consent, same redemption, same refresh token.
    /// The store's version would be too strict, since sealing anew changes it and nothing else.
    func isSameGrant(as other: Connection) -> Bool {
        generation == other.generation && consentedAt == other.consentedAt && subject == other.subject
            && refreshToken == other.refreshToken
    }

    /// When nothing of it works any more: the grant's end, or the access token's where nothing renews it.
    ///
    /// - Parameter renews: whether a new access token is had without a refresh token.
    func deadAt(renews: Bool) -> Timestamp? {
        [endsAt, refreshToken == nil && !renews ? expiresAt : nil].compactMap { $0 }.min()
    }

    /// Whether the grant clock waits for the end itself, not for the time to warn.
    func wasWarned(renews: Bool) -> Bool { clockAt != nil && clockAt == deadAt(renews: renews) }

    /// Whether its end is so near that the user was warned, or is about to be.
    func isExpiring(at now: Timestamp, warning: Duration, renews: Bool) -> Bool {
        guard let deadAt = deadAt(renews: renews), let clockAt, deadAt - consentedAt >= GrantClock.shortestLife else {
            return false
        }
        return (clockAt <= now || clockAt == deadAt) && deadAt - now <= warning
    }

    /// Whether the access token can still be used, near its end or not.
    func isAlive(at now: Timestamp) -> Bool {
        !health.isDead && expiresAt.map { now < $0 } ?? true
    }
}
