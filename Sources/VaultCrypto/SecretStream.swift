import CSodium
import VaultBase

/// libsodium's secretstream (XChaCha20-Poly1305): a row of chunks of which none can be dropped, moved,
/// repeated or added, and whose end is marked by a tag.
package enum SecretStream {
    /// Bytes at the beginning of a stream.
    package static let headerSize = 24
    /// Bytes a sealed chunk is longer than its plaintext.
    package static let overhead = 17

    /// Seals chunks.
    package struct Push: ~Copyable {
        private let state: UnsafeMutablePointer<crypto_secretstream_xchacha20poly1305_state>
        package let header: [UInt8]

        package init(key: GuardedKey) {
            _ = Sodium.ready
            state = .allocate(capacity: 1)
            state.initialize(to: .init())
            var header = [UInt8](repeating: 0, count: headerSize)
            crypto_secretstream_xchacha20poly1305_init_push(
                state, &header, key.address.assumingMemoryBound(to: UInt8.self))
            self.header = header
        }

        deinit {
            sodium_memzero(state, MemoryLayout<crypto_secretstream_xchacha20poly1305_state>.size)
            state.deallocate()
        }

        /// Seals the next chunk into `sealed`, which has room for ``SecretStream/overhead`` bytes more.
        package mutating func push(
            _ chunk: UnsafeRawBufferPointer, index: UInt64, isFinal: Bool, into sealed: UnsafeMutableRawBufferPointer
        ) {
            precondition(sealed.count == chunk.count + overhead, "a sealed chunk is 17 bytes longer")
            let tag = isFinal ? finalTag : messageTag
            withUnsafeBytes(of: index.littleEndian) { index in
                let result = crypto_secretstream_xchacha20poly1305_push(
                    state, sealed.start, nil,
                    chunk.start, UInt64(chunk.count),
                    index.start, UInt64(index.count), tag)
                precondition(result == 0, "sealing fails only when the chunk is too long")
            }
        }
    }

    /// Opens chunks.
    package struct Pull: ~Copyable {
        private let state: UnsafeMutablePointer<crypto_secretstream_xchacha20poly1305_state>

        /// - Parameter header: ``SecretStream/headerSize`` bytes.
        package init(key: GuardedKey, header: [UInt8]) {
            _ = Sodium.ready
            precondition(header.count == headerSize, "a stream begins with 24 bytes")
            state = .allocate(capacity: 1)
            state.initialize(to: .init())
            crypto_secretstream_xchacha20poly1305_init_pull(
                state, header, key.address.assumingMemoryBound(to: UInt8.self))
        }

        deinit {
            sodium_memzero(state, MemoryLayout<crypto_secretstream_xchacha20poly1305_state>.size)
            state.deallocate()
        }

        /// Opens the next chunk into `chunk`, which is ``SecretStream/overhead`` bytes shorter; nil when it
        /// does not open, else whether it was the last.
        package mutating func pull(
            _ sealed: UnsafeRawBufferPointer, index: UInt64, into chunk: UnsafeMutableRawBufferPointer
        ) -> Bool? {
            guard sealed.count >= overhead, chunk.count == sealed.count - overhead else { return nil }
            var tag: UInt8 = 0
            let opened = withUnsafeBytes(of: index.littleEndian) { index in
                crypto_secretstream_xchacha20poly1305_pull(
                    state, chunk.start, nil, &tag,
                    sealed.start, UInt64(sealed.count),
                    index.start, UInt64(index.count)) == 0
            }
            guard opened, tag == messageTag || tag == finalTag else { return nil }
            return tag == finalTag
        }
    }

    private static let messageTag: UInt8 = 0
    private static let finalTag: UInt8 = 3
}
