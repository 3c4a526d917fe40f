import CSodium

/// Hashes and MACs.
public enum Digest {
    public static func sha256(_ bytes: some Collection<UInt8>) -> [UInt8] {
        withContiguous(bytes) { message in
            filled(32) { _ = crypto_hash_sha256($0, message.baseAddress, UInt64(message.count)) }
        }
    }

    /// BLAKE2b-256 without a key.
    public static func blake2b(_ bytes: some Collection<UInt8>) -> [UInt8] {
        withContiguous(bytes) { message in
            filled(32) { Blake2b.hash(UnsafeRawBufferPointer(message), into: .init(start: $0, count: 32)) }
        }
    }

    /// Compares in time that depends on the lengths alone.
    public static func equal(_ a: [UInt8], _ b: [UInt8]) -> Bool {
        a.withUnsafeBytes { a in b.withUnsafeBytes { equal(a, $0) } }
    }

    /// The same of bytes as they stand in memory.
    public static func equal(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Bool {
        guard a.count == b.count, let start = a.baseAddress, let other = b.baseAddress else {
            return a.count == b.count
        }
        return sodium_memcmp(start, other, a.count) == 0
    }

    static func filled(_ count: Int, _ fill: (UnsafeMutablePointer<UInt8>) -> Void) -> [UInt8] {
        _ = Sodium.ready
        return [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            // The capacity is never 0, so the buffer has a start.
            fill(buffer.baseAddress.unsafelyUnwrapped)
            initialized = count
        }
    }

    static func withContiguous<R>(
        _ bytes: some Collection<UInt8>, _ body: (UnsafeBufferPointer<UInt8>) -> R
    ) -> R {
        if let result = bytes.withContiguousStorageIfAvailable(body) { return result }
        return Array(bytes).withUnsafeBufferPointer(body)
    }
}
