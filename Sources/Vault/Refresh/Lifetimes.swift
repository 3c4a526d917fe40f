import VaultBase
import VaultProviders
import VaultRecords

/// The times a grant has: when its access token ends, when refresh-ahead looks at it, when the whole record ends.
struct Lifetimes: Sendable {
    let options: VaultOptions
    let description: ProviderDescription

    /// Writes what `grant` says into `connection`, whose `consentedAt` and old `endsAt` are set.
    func apply(_ grant: TokenGrant, to connection: inout Connection, now: Timestamp) {
        let before = connection
        connection.accessToken = grant.accessToken
        connection.tokenType = grant.tokenType
        if let refreshToken = grant.refreshToken { connection.refreshToken = refreshToken }
        if let scope = grant.scope { connection.scope = scope }
        connection.expiresAt = grant.expiresIn.map { now + .seconds($0) }
        connection.updatedAt = now
        connection.health = .healthy
        let end = end(
            of: connection, keepsToken: grant.refreshToken == nil, refreshExpiresIn: grant.refreshExpiresIn, now: now)
        connection.endsAt = end?.at
        connection.dueAt = due(connection, now: now)
        connection.clockAt = clock(connection, after: before, life: end?.life, now: now)
        connection.validateAt = validation(connection, now: now)
    }

    /// When the grant itself is dead: by the provider's word on this token, else by its idle limit, and never
    /// later than its absolute limit or the operator's, which count from consent.
    private func end(
        of connection: Connection, keepsToken: Bool, refreshExpiresIn: Int64?, now: Timestamp
    ) -> (at: Timestamp, life: Duration)? {
        var ends: [(at: Timestamp, life: Duration)] = []
        if connection.refreshToken != nil {
            if let seconds = refreshExpiresIn ?? description.idleLifetime {
                ends.append((now + .seconds(seconds), .seconds(description.idleLifetime ?? seconds)))
            } else if keepsToken, let earlier = connection.endsAt {
                ends.append((earlier, earlier - connection.consentedAt))
            }
        }
        for life in [description.absoluteLifetime.map { Duration.seconds($0) }, options.recordLifetime] {
            if let life { ends.append((connection.consentedAt + life, life)) }
        }
        return ends.min { $0.at < $1.at }
    }

    /// When the grant clock looks at it next: ahead of the end by ``VaultOptions/warnBefore``, half the grant's life
    /// at most, or at the end itself when the warning was given or the life is too short for one.
    ///
    /// - Parameters:
    ///   - before: the same grant as it was, if it was: without a new term of life nothing is warned of twice.
    ///   - life: how long the grant lives from its last renewal; nil when only the access token has an end.
    func clock(
        _ connection: Connection, after before: Connection?, life: Duration?, now: Timestamp
    ) -> Timestamp? {
        let renews = description.flow == .clientCredentials
        guard let deadAt = connection.deadAt(renews: renews) else { return nil }
        let wasWarned = before?.wasWarned(renews: renews) ?? false
        // What a provider says is left differs by its rounding, and is no new term.
        if let old = before?.deadAt(renews: renews), let clockAt = before?.clockAt, deadAt <= old + .seconds(60) {
            return wasWarned ? deadAt : min(clockAt, deadAt)
        }
        let life = deadAt == connection.endsAt ? life ?? deadAt - connection.consentedAt : deadAt - now
        guard life >= GrantClock.shortestLife else { return deadAt }
        let at = deadAt - min(options.warnBefore, life / 2)
        return wasWarned && at <= now ? deadAt : at
    }

    /// When the provider wants to be asked whether the token holds; up to a tenth earlier by chance.
    func validation(_ connection: Connection, now: Timestamp) -> Timestamp? {
        guard let every = description.validateEvery, !description.endpoints.validate.isEmpty else { return nil }
        return now + .milliseconds(every * 1000 - Int64.random(in: 0...max(every * 100, 1)))
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
