import CSodium

/// XSalsa20-Poly1305 as libsodium's `crypto_secretbox_easy`: a 16-byte tag, then the ciphertext.
///
/// It has no associated data; whoever seals binds the place by the key (see the record envelope).
package enum SecretBox {
    /// Bytes a box is longer than what is in it.
    package static let overhead = 16
    package static let nonceSize = 24

    /// Seals `plain` into `box`, which has room for ``overhead`` bytes more; nonce 24 bytes, key 32.
    package static func seal(
        _ plain: UnsafeRawBufferPointer, nonce: UnsafeRawPointer, key: UnsafeRawPointer,
        into box: UnsafeMutableRawBufferPointer
    ) {
        precondition(box.count == plain.count + overhead, "a box is 16 bytes longer than its plaintext")
        let result = crypto_secretbox_easy(
            box.start, plain.start,
            UInt64(plain.count), nonce.assumingMemoryBound(to: UInt8.self), key.assumingMemoryBound(to: UInt8.self))
        precondition(result == 0, "sealing fails only when the message is too long")
    }

    /// Opens `box` into `plain`, which is ``overhead`` bytes shorter; false when it does not open.
    package static func open(
        _ box: UnsafeRawBufferPointer, nonce: UnsafeRawPointer, key: UnsafeRawPointer,
        into plain: UnsafeMutableRawBufferPointer
    ) -> Bool {
        guard box.count >= overhead, plain.count == box.count - overhead else { return false }
        return crypto_secretbox_open_easy(
            plain.start, box.start,
            UInt64(box.count), nonce.assumingMemoryBound(to: UInt8.self), key.assumingMemoryBound(to: UInt8.self)) == 0
    }
}
