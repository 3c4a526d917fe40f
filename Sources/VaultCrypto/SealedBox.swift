import CSodium

/// libsodium's `crypto_box_seal` (X25519, XSalsa20-Poly1305): anybody can seal to a public key, only the
/// holder of the secret one can open, and nothing says who sealed.
package enum SealedBox {
    /// Bytes a box is longer than what is in it.
    package static let overhead = 48

    /// Seals to a public key of 32 bytes; nil when no secret key can belong to it (a point of low order).
    package static func seal(_ plain: UnsafeRawBufferPointer, to publicKey: [UInt8]) -> [UInt8]? {
        _ = Sodium.ready
        precondition(publicKey.count == GuardedKey.size, "a public key has 32 bytes")
        var box = [UInt8](repeating: 0, count: plain.count + overhead)
        let result = crypto_box_seal(&box, plain.start, UInt64(plain.count), publicKey)
        return result == 0 ? box : nil
    }

    /// Opens `box` into `plain`, which is ``overhead`` bytes shorter; false when it does not open.
    package static func open(
        _ box: [UInt8], publicKey: [UInt8], secretKey: GuardedKey, into plain: UnsafeMutableRawBufferPointer
    ) -> Bool {
        guard box.count >= overhead, plain.count == box.count - overhead else { return false }
        return crypto_box_seal_open(
            plain.start, box, UInt64(box.count), publicKey, secretKey.address.assumingMemoryBound(to: UInt8.self)) == 0
    }

    /// The public key (X25519, RFC 7748 §6.1) of a secret one.
    package static func publicKey(of secretKey: GuardedKey) -> [UInt8] {
        _ = Sodium.ready
        var out = [UInt8](repeating: 0, count: GuardedKey.size)
        crypto_scalarmult_base(&out, secretKey.address.assumingMemoryBound(to: UInt8.self))
        return out
    }
}
