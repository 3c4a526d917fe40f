import VaultBase
import VaultCrypto

// Refresh tokens: OAuth 2.1 §4.3. Rotated at each use; a second use of one revokes the family.
extension Authority {
    /// What becomes of the refresh token at a refresh.
    enum Rotation {
        /// A new one; the old one is worth nothing from now on.
        case rotate
        /// The same one again.
        case keep
        /// None in the answer; the old one stays good.
        case omit
    }

    mutating func redeemRefreshToken(
        _ token: String, client: String, scopes asked: [String]?, rotation: Rotation, lifetime: Duration?,
        now: Timestamp
    ) throws(OAuthError) -> IssuedTokens {
        let hash = Self.hash(token)
        guard let (id, index) = refreshTokens[hash], let holder = holder(grant: id), holder.client == client else {
            throw OAuthError("invalid_grant", "there is no such refresh token")
        }
        ledger.grants[id]?.refreshTokens[index].redemptions += 1
        let state = ledger.grants[id]?.refreshTokens[index].state
        guard state != .rotated else {
            ledger.reuses += 1
            ledger.grants[id]?.reuses += 1
            revoke(grant: id, because: "refresh token used twice")
            throw OAuthError("invalid_grant", "the refresh token was used before; its family is revoked")
        }
        guard state == .current else {
            throw OAuthError("invalid_grant", "the refresh token is revoked")
        }
        let scopes = asked ?? holder.scopes
        guard Set(scopes).isSubset(of: holder.scopes) else {
            // Not a use: nothing was given for it.
            ledger.grants[id]?.refreshTokens[index].redemptions -= 1
            throw OAuthError("invalid_scope", "more than what was granted")
        }
        ledger.refreshes += 1
        ledger.grants[id]?.refreshes += 1
        var issued = issueAccessToken(for: id, scopes: scopes, lifetime: lifetime, now: now)
        switch rotation {
        case .rotate:
            ledger.grants[id]?.refreshTokens[index].state = .rotated
            issued.refreshToken = issueRefreshToken(for: id)
        case .keep: issued.refreshToken = token
        case .omit: break
        }
        return issued
    }

    mutating func issueRefreshToken(for grant: String) -> String {
        let token = "srt_" + Random.token()
        let hash = Self.hash(token)
        let index = ledger.grants[grant]?.refreshTokens.count ?? 0
        ledger.grants[grant]?.refreshTokens.append(.init(id: Sandbox.Ledger.id(of: token)))
        refreshTokens[hash] = (grant, index)
        return token
    }

    mutating func issueAccessToken(
        for grant: String, scopes: [String], lifetime: Duration?, now: Timestamp
    ) -> IssuedTokens {
        let lifetime = lifetime ?? accessTokenLifetime
        let token = "sat_" + Random.token()
        accessTokens[Self.hash(token)] = AccessToken(grant: grant, scopes: scopes, expiresAt: now + lifetime)
        ledger.accessTokens += 1
        if ledger.accessTokens.isMultiple(of: 4096) { forget(before: now) }
        return IssuedTokens(accessToken: token, scopes: scopes, lifetime: lifetime)
    }
}
