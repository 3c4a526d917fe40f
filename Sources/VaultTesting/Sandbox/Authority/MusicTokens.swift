import FoundationEssentials
import VaultBase
import VaultCrypto

// A platform that gives its token to the browser, as Apple Music does: the client says who it is with a JWT that its
// private key signed (RFC 7519, ES256), and the user's token has no refresh token beside it.
extension Authority {
    /// The longest a client's JWT may be good for, in seconds.
    static let longestClientToken: Int64 = 15_777_000

    /// The client that a JWT names; nil for one that is forged, over, not begun, or good for too long.
    func client(ofToken token: String, now: Timestamp) -> Sandbox.Client? {
        let parts = token.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let header: ClientTokenHeader = Self.read(parts[0]),
            let claims: ClientTokenClaims = Self.read(parts[1]), let signature = Base64.decode(parts[2]),
            header.alg == "ES256", let client = clients[claims.iss], let key = client.publicKey,
            client.keyID == header.kid, claims.iat <= now.seconds + 60, claims.exp > now.seconds,
            claims.exp - claims.iat <= Self.longestClientToken
        else { return nil }
        let signed = Array("\(parts[0]).\(parts[1])".utf8)
        return ES256.verifies(signature, of: signed, publicKey: key) ? client : nil
    }

    /// A token for the user, who consented: good until its grant is revoked.
    mutating func issueMusicToken(to user: String, client: String, now: Timestamp) -> String {
        let request = Pending(
            client: client, redirectURI: "", scopes: ["music"], challenge: "", expiresAt: now + .seconds(60))
        let code = Self.hash(consent(to: request, as: user, scopes: request.scopes, now: now))
        codes[code]?.used = true
        let grant = codes[code]?.grant ?? ""
        return issueAccessToken(for: grant, scopes: request.scopes, lifetime: .seconds(3600 * 24 * 180), now: now)
            .accessToken
    }

    private static func read<T: Decodable>(_ part: Substring) -> T? {
        Base64.decode(part).flatMap { try? JSONDecoder().decode(T.self, from: Data($0)) }
    }
}

private struct ClientTokenHeader: Decodable {
    var alg: String, kid: String
}

private struct ClientTokenClaims: Decodable {
    var iss: String
    var iat: Int64, exp: Int64
}
