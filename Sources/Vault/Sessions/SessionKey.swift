import VaultBase
import VaultCrypto

/// What sessions are signed with; which it is, the operator says.
public enum SessionAlgorithm: String, Sendable, CaseIterable {
    /// HMAC with SHA-256 (RFC 7518 §3.2): only who has the secret can verify.
    case hs256 = "HS256"
    /// Ed25519 (RFC 8037 §3.1): everybody can verify, with the keys of `/.well-known/jwks.json`.
    case edDSA = "EdDSA"
}

/// The public half of a key that signs sessions, as a JWK (RFC 8037 §2).
public struct PublicSessionKey: Sendable, Equatable {
    public var id: String
    /// The 32 bytes, base64url.
    public var x: String
}

/// One key with the one algorithm it is for (RFC 8725 §3.1): a public key cannot become an HMAC's.
enum SessionKey: Sendable {
    case hs256(MACKey, id: String)
    case edDSA(SigningKey, id: String)

    /// RFC 7518 §3.2 asks for a key as long as the hash.
    static let minimum = 32

    /// Both keys of a secret: HS256's is the secret itself, EdDSA's is derived from it.
    ///
    /// - Parameter id: HS256's `kid`. EdDSA's is its thumbprint (RFC 7638 §3, RFC 8037 appendix A.3).
    static func both(of secret: Secret, id: String) -> [SessionKey] {
        guard secret.count >= minimum else { return [] }
        let pair = SigningKey(from: secret, for: "vault session Ed25519 v1")
        return [.hs256(MACKey(secret), id: id), .edDSA(pair, id: thumbprint(of: pair.publicKey))]
    }

    static func thumbprint(of publicKey: [UInt8]) -> String {
        let jwk = "{\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\"\(Base64.encodeURL(publicKey))\"}"
        return Base64.encodeURL(Digest.sha256(Array(jwk.utf8)))
    }

    var algorithm: SessionAlgorithm {
        switch self {
        case .hs256: .hs256
        case .edDSA: .edDSA
        }
    }

    /// The protected header of all that this key signs, base64url.
    var header: [UInt8] {
        let id =
            switch self {
            case .hs256(_, let id), .edDSA(_, let id): id
            }
        let json = "{\"alg\":\"\(algorithm.rawValue)\",\"typ\":\"vault-session+jwt\",\"kid\":\(JSONText.quoted(id))}"
        return Array(Base64.encodeURL(json.utf8).utf8)
    }

    var publicKey: PublicSessionKey? {
        guard case .edDSA(let pair, let id) = self else { return nil }
        return PublicSessionKey(id: id, x: Base64.encodeURL(pair.publicKey))
    }

    /// The signature's text.
    func signature(of message: UnsafeRawBufferPointer) -> String {
        switch self {
        case .hs256(let key, _): Base64.encodeURL(key.code(of: message))
        case .edDSA(let pair, _): Base64.encodeURL(pair.signature(of: Array(message)))
        }
    }

    /// Compared as text: a second spelling of the same bytes is refused with the forgeries.
    func isSignature(_ text: UnsafeRawBufferPointer, of message: UnsafeRawBufferPointer) -> Bool {
        switch self {
        case .hs256:
            return Self.isSame(signature(of: message), text)
        case .edDSA(let pair, _):
            guard let bytes = Base64.decode(text.assumingMemoryBound(to: UInt8.self)),
                Self.isSame(Base64.encodeURL(bytes), text)
            else { return false }
            return pair.isSignature(bytes, of: Array(message))
        }
    }

    private static func isSame(_ ours: String, _ text: UnsafeRawBufferPointer) -> Bool {
        var ours = ours
        return ours.withUTF8 { Digest.equal(UnsafeRawBufferPointer($0), text) }
    }
}
