import VaultBase
import VaultProviders
import VaultRecords

/// The times a grant has: when its access token ends, when refresh-ahead looks at it, when the whole record ends.
struct Lifetimes: Sendable {
    let options: VaultOptions
    let description: ProviderDescription

    /// Writes what `grant` says into `connection`, whose `consentedAt` and old `endsAt` are set.
    func apply(_ grant: TokenGrant, to connection: inout Connection, now: Timestamp) {
        connection.accessToken = grant.accessToken
        connection.tokenType = grant.tokenType
        if let refreshToken = grant.refreshToken { connection.refreshToken = refreshToken }
        if let scope = grant.scope { connection.scope = scope }
        connection.expiresAt = grant.expiresIn.map { now + .seconds($0) }
        connection.updatedAt = now
        connection.health = .healthy
        connection.endsAt = end(
            of: connection, keepsToken: grant.refreshToken == nil, refreshExpiresIn: grant.refreshExpiresIn, now: now)
        connection.dueAt = due(connection, now: now)
    }

    /// When the grant itself is dead: by the provider's word on this token, else by its idle limit, and never
    /// later than its absolute limit or the operator's, which count from consent.
    private func end(
        of connection: Connection, keepsToken: Bool, refreshExpiresIn: Int64?, now: Timestamp
    ) -> Timestamp? {
        var ends: [Timestamp] = []
        if connection.refreshToken != nil {
            if let seconds = refreshExpiresIn ?? description.idleLifetime {
                ends.append(now + .seconds(seconds))
            } else if keepsToken, let earlier = connection.endsAt {
                ends.append(earlier)
            }
        }
        if let seconds = description.absoluteLifetime { ends.append(connection.consentedAt + .seconds(seconds)) }
        if let lifetime = options.recordLifetime { ends.append(connection.consentedAt + lifetime) }
        return ends.min()
    }

    /// A tenth of the token's life before it ends (twice the margin at least, half its life at most), and up
    /// to a tenth of that earlier by chance, so that what came together does not come back together.
    func due(_ connection: Connection, now: Timestamp) -> Timestamp? {
        let renews = connection.refreshToken != nil || description.flow == .clientCredentials
        guard options.refreshAhead, renews, let ends = connection.expiresAt, ends > now
        else { return nil }
        let life = (ends - now).milliseconds
        let lead = min(max(life / 10, options.refreshMargin.milliseconds * 2), life / 2)
        return ends - .milliseconds(lead + Int64.random(in: 0...max(lead / 10, 1)))
    }
}
