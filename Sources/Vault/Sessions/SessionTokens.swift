import VaultBase
import VaultCrypto
import VaultRecords

/// Writes and reads the sessions' JWTs: one algorithm per key, the key chosen by `kid`.
///
/// The protected header is a constant of each key, so a token counts only when its header is that text
/// exactly: another `alg`, `typ` or order of members never gets as far as a signature (RFC 8725 §3.1, §3.11).
struct SessionTokens: Sendable {
    /// How far the clock may have been set back since a token was issued, in seconds, where nothing tells how far it was.
    static let skew: Int64 = 60
    /// No token of ours is longer.
    static let sizeLimit = 4096

    private let issuer: String
    private let audience: String
    /// Few, and compared byte by byte: what everybody may know.
    private let keys: [(header: [UInt8], key: SessionKey)]
    private let signing: (header: [UInt8], key: SessionKey)?
    /// The keys that everybody may verify with, the signing one first; none with HS256.
    let published: [PublicSessionKey]

    /// - Parameter secrets: the first signs, by `algorithm`; both keys of each verify, so that neither another
    ///   secret nor another algorithm logs anybody out.
    init(
        issuer: String, audience: String, secrets: [(kid: String, key: Secret)], algorithm: SessionAlgorithm
    ) {
        self.issuer = issuer
        self.audience = audience
        let all = secrets.flatMap { SessionKey.both(of: $0.key, id: $0.kid) }
        keys = all.map { ($0.header, $0) }
        signing = all.first { $0.algorithm == algorithm }.map { ($0.header, $0) }
        published = algorithm == .edDSA ? all.compactMap(\.publicKey) : []
    }

    /// - Throws: `settings` when no key is long enough to sign with.
    func token(
        for session: SessionRecord, issuedAt: Timestamp, expiresAt: Timestamp
    ) throws(VaultError) -> Secret {
        guard let signing else {
            throw VaultError(
                .settings, "there is no session key of at least \(SessionKey.minimum) bytes",
                hint: "set JWT_SECRET to the output of: openssl rand -hex 32")
        }
        let claims = Claims(
            issuer: issuer, audience: audience, subject: session.user.rawValue, issuedAt: issuedAt.seconds,
            expiresAt: expiresAt.seconds, id: session.id)
        var bytes = signing.header
        bytes.append(0x2E)
        bytes += Base64.encodeURL(claims.json.utf8).utf8
        let signature = bytes.withUnsafeBytes { signing.key.signature(of: $0) }
        bytes.append(0x2E)
        bytes += signature.utf8
        return Secret(bytes: bytes)
    }

    /// The claims of a token that is ours and in its time; nil for every other, without a reason.
    ///
    /// - Parameter latest: the latest moment at which one can have been issued, where that is not `now`.
    func claims(of token: Secret, now: Timestamp, latest: @autoclosure () -> Timestamp) -> Claims? {
        guard token.count <= Self.sizeLimit else { return nil }
        return token.withBytes { raw -> Claims? in
            guard let first = raw.firstIndex(of: 0x2E), let last = raw.lastIndex(of: 0x2E), first < last,
                let key = key(of: UnsafeRawBufferPointer(rebasing: raw[..<first]))
            else { return nil }
            let (signature, signed) = (raw[(last + 1)...], raw[..<last])
            guard
                key.isSignature(
                    UnsafeRawBufferPointer(rebasing: signature), of: UnsafeRawBufferPointer(rebasing: signed))
            else { return nil }
            let payload = UnsafeRawBufferPointer(rebasing: raw[(first + 1)..<last])
            guard payload.allSatisfy(Self.isURLAlphabet),
                let json = Base64.decode(payload.assumingMemoryBound(to: UInt8.self)), let claims = Claims(json),
                claims.issuer == issuer, claims.audience == audience, claims.expiresAt > now.seconds,
                claims.issuedAt <= now.seconds + Self.skew || claims.issuedAt <= latest().seconds + Self.skew
            else { return nil }
            return claims
        }
    }

    /// Of two keys with one header the first stands, as the first key signs.
    private func key(of header: UnsafeRawBufferPointer) -> SessionKey? {
        keys.first { key in key.header.withUnsafeBytes { Digest.equal($0, header) } }?.key
    }

    private static func isURLAlphabet(_ byte: UInt8) -> Bool {
        (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) || byte == 0x2D
            || byte == 0x5F
    }
}
