import CSodium
import VaultBase

/// Random bytes from the system.
public enum Random {
    public static func bytes(_ count: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            fill(UnsafeMutableRawBufferPointer(buffer))
            initialized = count
        }
    }

    /// base64url of `bytes` random bytes; 32 gives 256 bits in 43 characters.
    public static func token(bytes: Int = 32) -> String { Base64.encodeURL(self.bytes(bytes)) }

    /// Fills `buffer`.
    package static func fill(_ buffer: UnsafeMutableRawBufferPointer) {
        _ = Sodium.ready
        if let start = buffer.baseAddress { randombytes_buf(start, buffer.count) }
    }
}
