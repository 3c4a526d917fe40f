import CSodium
import VaultBase

/// What a hash is for: 16 bytes that BLAKE2b mixes into its parameter block (RFC 7693 §2.5, "personal"),
/// so that a value made for one purpose never stands for another.
package struct Purpose: Sendable {
    let low: UInt64
    let high: UInt64

    /// The ASCII of `name`, at most 16 bytes, filled up with zeros.
    package init(_ name: StaticString) {
        precondition(name.utf8CodeUnitCount <= 16, "a purpose is at most 16 bytes")
        var words: (UInt64, UInt64) = (0, 0)
        withUnsafeMutableBytes(of: &words) {
            $0.copyMemory(from: UnsafeRawBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
        }
        (low, high) = words
    }
}

/// BLAKE2b (RFC 7693) of contiguous bytes, with or without a key.
package enum Blake2b {
    /// Without key, salt and purpose; `output` is 16 to 64 bytes.
    package static func hash(_ message: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) {
        _ = Sodium.ready
        let result = crypto_generichash_blake2b(
            output.start, output.count,
            message.start, UInt64(message.count), nil, 0)
        precondition(result == 0, "BLAKE2b gives 16 to 64 bytes")
    }

    /// Keyed and for one purpose, with a salt of zeros; `output` is 16 to 64 bytes, the key 32.
    package static func hash(
        _ message: UnsafeRawBufferPointer, key: UnsafeRawPointer, for purpose: Purpose,
        into output: UnsafeMutableRawBufferPointer
    ) {
        withUnsafeBytes(of: purpose) { personal in
            let result = crypto_generichash_blake2b_salt_personal(
                output.start, output.count,
                message.start, UInt64(message.count),
                key.assumingMemoryBound(to: UInt8.self), GuardedKey.size, nil,
                personal.start)
            precondition(result == 0, "BLAKE2b gives 16 to 64 bytes")
        }
    }

    /// The same as an array.
    package static func hash(
        _ message: [UInt8], key: GuardedKey, for purpose: Purpose, bytes: Int = 32
    ) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: bytes) { buffer, initialized in
            message.withUnsafeBytes { message in
                key.withBytes { key in
                    hash(
                        message, key: key.baseAddress.unsafelyUnwrapped, for: purpose,
                        into: UnsafeMutableRawBufferPointer(start: buffer.baseAddress, count: bytes))
                }
            }
            initialized = bytes
        }
    }
}

/// BLAKE2b-256 without a key over bytes that come piece by piece.
package struct Blake2bStream: ~Copyable {
    private let memory: UnsafeMutableRawPointer

    package init() {
        _ = Sodium.ready
        memory = .allocate(byteCount: crypto_generichash_statebytes(), alignment: 64)
        crypto_generichash_blake2b_init(OpaquePointer(memory), nil, 0, 32)
    }

    deinit {
        sodium_memzero(memory, crypto_generichash_statebytes())
        memory.deallocate()
    }

    package mutating func update(_ bytes: UnsafeRawBufferPointer) {
        crypto_generichash_blake2b_update(
            OpaquePointer(memory), bytes.start, UInt64(bytes.count))
    }

    /// Ends the hash; no update may follow.
    package mutating func finish() -> [UInt8] {
        var out = [UInt8](repeating: 0, count: 32)
        crypto_generichash_blake2b_final(OpaquePointer(memory), &out, 32)
        return out
    }
}
