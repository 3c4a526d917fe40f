import VaultBase

extension Authority {
    /// RFC 7009 §2.1: a refresh token takes its whole grant with it, an access token only itself. A token
    /// nobody knows, or another client's, is not an error.
    mutating func revoke(_ token: String, client: String) {
        ledger.revocations += 1
        guard let holder = holder(of: token), holder.client == client else { return }
        let hash = Self.hash(token)
        if refreshTokens[hash] != nil {
            revoke(grant: holder.grant, because: "revoked by the client")
        } else {
            accessTokens[hash] = nil
        }
    }

    /// Ends a grant: none of its tokens is worth anything from now on.
    mutating func revoke(grant id: String, because reason: String) {
        guard ledger.grants[id]?.revoked == nil else { return }
        ledger.grants[id]?.revoked = reason
        for index in ledger.grants[id]?.refreshTokens.indices ?? 0..<0
        where ledger.grants[id]?.refreshTokens[index].state == .current {
            ledger.grants[id]?.refreshTokens[index].state = .revoked
        }
    }

    /// The user and scopes an access token stands for, while it is good.
    mutating func profile(_ token: String, now: Timestamp) throws(OAuthError) -> (user: String, scopes: [String]) {
        guard let known = accessTokens[Self.hash(token)], known.expiresAt > now,
            let holder = holder(grant: known.grant), !holder.isRevoked
        else { throw OAuthError("invalid_token", "the access token is unknown, revoked or too old", status: 401) }
        ledger.profiles += 1
        return (holder.user, known.scopes)
    }
}
