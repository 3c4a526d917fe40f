import VaultBase
import VaultCrypto

// Codes: OAuth 2.1 §4.1. Used once; a second use takes back what the first one gave.
extension Authority {
    /// Consents: a new grant and the code for it.
    mutating func consent(to request: Pending, as user: String, scopes: [String], now: Timestamp) -> String {
        let id = "grant-\(ledger.grants.count + 1)"
        ledger.grants[id] = Sandbox.Ledger.Grant(
            id: id, user: user, client: request.client, scope: scopes.joined(separator: " "), consentedAt: now.rawValue)
        ledger.consents += 1
        let code = Random.token()
        codes[Self.hash(code)] = Code(
            grant: id, redirectURI: request.redirectURI, challenge: request.challenge, nonce: request.nonce,
            expiresAt: now + codeLifetime)
        return code
    }

    mutating func redeemCode(
        _ code: String, client: String, redirectURI: String?, verifier: String?, lifetime: Duration?, issuer: String,
        now: Timestamp
    ) throws(OAuthError) -> IssuedTokens {
        let hash = Self.hash(code)
        guard let known = codes[hash], let holder = holder(grant: known.grant), holder.client == client else {
            throw OAuthError("invalid_grant", "there is no such code")
        }
        guard !known.used else {
            ledger.reuses += 1
            revoke(grant: known.grant, because: "code used twice")
            throw OAuthError("invalid_grant", "the code was used before; what it gave is revoked")
        }
        // Whatever comes of it, this was the code's one use.
        codes[hash]?.used = true
        guard known.expiresAt > now else { throw OAuthError("invalid_grant", "the code is too old") }
        guard redirectURI == known.redirectURI else {
            throw OAuthError("invalid_grant", "redirect_uri is not the one of the authorization request")
        }
        guard let verifier, (43...128).contains(verifier.utf8.count) else {
            throw OAuthError("invalid_grant", "code_verifier must be 43 to 128 characters")
        }
        guard Base64.encodeURL(Digest.sha256(Array(verifier.utf8))) == known.challenge else {
            throw OAuthError("invalid_grant", "code_verifier does not match code_challenge")
        }
        ledger.codesRedeemed += 1
        var issued = issueAccessToken(for: holder.grant, scopes: holder.scopes, lifetime: lifetime, now: now)
        issued.refreshToken = issueRefreshToken(for: holder.grant)
        if holder.scopes.contains("openid") {
            issued.idToken = idToken(
                for: holder, nonce: known.nonce, issuer: issuer, lifetime: issued.lifetime, now: now)
        }
        return issued
    }

    /// OIDC Core §2, signed with the client secret (HS256, §10.1): no key to publish, nothing to rotate.
    private func idToken(
        for holder: Holder, nonce: String?, issuer: String, lifetime: Duration, now: Timestamp
    ) -> String {
        let person = Person(holder.user)
        let claims = IDClaims(
            iss: issuer, sub: person.subject, aud: holder.client, iat: now.seconds, exp: (now + lifetime).seconds,
            nonce: nonce, name: person.name)
        let signed =
            Base64.encodeURL(Array(#"{"alg":"HS256","typ":"JWT"}"#.utf8)) + "." + Base64.encodeURL(JSON.encode(claims))
        let key = Secret(clients[holder.client]?.secret ?? "")
        return signed + "." + Base64.encodeURL(Digest.hmacSHA256(Array(signed.utf8), key: key))
    }

    private struct IDClaims: Encodable {
        var iss: String, sub: String, aud: String
        var iat: Int64, exp: Int64
        var nonce: String?
        var name: String
    }
}
