import CSodium
public import VaultBase

/// An Ed25519 key pair (RFC 8032): signs with the secret half, verifies with the public one.
public struct SigningKey: Sendable {
    /// 32 bytes, for everybody.
    public let publicKey: [UInt8]
    /// The seed and the public key, as libsodium wants them.
    private let secret: Secret

    /// The pair that belongs to a seed.
    ///
    /// - Throws: `bad-request` when it is not 32 bytes.
    public init(seed: Secret) throws(VaultError) {
        guard seed.count == Int(crypto_sign_SEEDBYTES) else {
            throw VaultError(.badRequest, "a seed is 32 bytes, this one has \(seed.count)")
        }
        self.init(checked: seed)
    }

    /// The pair that a secret of any length and a purpose stand for: HMAC-SHA-256 makes the seed, so that the
    /// secret itself and keys of other purposes stay apart.
    public init(from secret: Secret, for purpose: String) {
        self.init(checked: Secret(bytes: Digest.hmacSHA256(Array(purpose.utf8), key: secret)))
    }

    private init(checked seed: Secret) {
        var both = [UInt8](repeating: 0, count: Int(crypto_sign_SECRETKEYBYTES))
        publicKey = Digest.filled(Int(crypto_sign_PUBLICKEYBYTES)) { output in
            seed.withBytes { _ = crypto_sign_seed_keypair(output, &both, $0.start) }
        }
        secret = both.withUnsafeBytes { Secret(copying: $0) }
        sodium_memzero(&both, both.count)
    }

    /// 64 bytes; the same message always gets the same.
    public func signature(of message: [UInt8]) -> [UInt8] {
        Digest.filled(Int(crypto_sign_BYTES)) { output in
            secret.withBytes { _ = crypto_sign_detached(output, nil, message, UInt64(message.count), $0.start) }
        }
    }

    /// Whether the signature is this key's; libsodium refuses points of small order and second spellings too.
    public func isSignature(_ signature: [UInt8], of message: [UInt8]) -> Bool {
        signature.count == Int(crypto_sign_BYTES)
            && crypto_sign_verify_detached(signature, message, UInt64(message.count), publicKey) == 0
    }
}
