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
        _ token: StoredToken, at platform: PlatformName, margin: Duration, now: Timestamp,
        renews: @autoclosure () -> Bool
    ) -> Freshness {
        if case .reconnect(let reason) = token.health { return .dead(reconnect(platform, reason)) }
        guard let ends = token.expiresAt else { return .fresh }
        // Stored by a clock that was ahead and was set right since: how long it lasts is not known.
        if token.updatedAt > now + ClockWatch.tolerance, token.isRefreshable || renews() { return .stale }
        let left = (ends - now).milliseconds
        let life = (ends - token.updatedAt).milliseconds
        if left > (life > 0 ? min(margin.milliseconds, life / 2) : margin.milliseconds) { return .fresh }
        if token.isRefreshable || renews() { return .stale }
        return left > 0 ? .fresh : .dead(reconnect(platform, "no-refresh-token"))
    }

    static func reconnect(_ platform: PlatformName, _ reason: String) -> VaultError {
        VaultError(
            .reconnect, "the connection to \(platform) has ended (\(reason))", hint: "connect \(platform) again")
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
}

extension StoredToken {
    /// Whether the access token can still be used, near its end or not.
    func isAlive(at now: Timestamp) -> Bool {
        !health.isDead && expiresAt.map { now < $0 } ?? true
    }
}
