public import VaultBase

/// Random bytes from the system.
public enum Random {
    public static func bytes(_ count: Int) -> [UInt8] { fatalError("stub") }
    /// base64url of `bytes` random bytes; 32 gives 256 bits in 43 characters.
    public static func token(bytes: Int = 32) -> String { fatalError("stub") }
}

/// Hashes and MACs.
public enum Digest {
    public static func sha256(_ bytes: some Collection<UInt8>) -> [UInt8] { fatalError("stub") }
    /// HMAC-SHA-256 (RFC 2104); the key may have any length.
    public static func hmacSHA256(_ message: some Collection<UInt8>, key: Secret) -> [UInt8] { fatalError("stub") }
    /// BLAKE2b-256 without a key.
    public static func blake2b(_ bytes: some Collection<UInt8>) -> [UInt8] { fatalError("stub") }
    /// Compares in time that depends on the lengths alone.
    public static func equal(_ a: [UInt8], _ b: [UInt8]) -> Bool { fatalError("stub") }
}
