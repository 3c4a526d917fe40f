import Crypto
import FoundationEssentials
public import VaultBase

/// A key for HMAC-SHA-256 (RFC 2104), made ready once: each code after that is the hash of its message alone.
///
/// Not libsodium's: swift-crypto uses the processor's own instructions for SHA-256, and every request asks for one.
public struct MACKey: Sendable, CustomStringConvertible, CustomReflectable {
    private let ready: HMAC<SHA256>

    public var description: String { "<redacted>" }
    public var customMirror: Mirror { Mirror(self, children: [:]) }

    /// A key of any length.
    public init(_ key: Secret) { ready = HMAC(key: key.withBytes { SymmetricKey(data: $0) }) }

    /// The 32 bytes that authenticate `message`.
    public func code(of message: UnsafeRawBufferPointer) -> [UInt8] {
        var code = ready
        code.update(data: message)
        return code.finalize().withUnsafeBytes { Array($0) }
    }
}

extension Digest {
    /// HMAC-SHA-256 (RFC 2104); the key may have any length.
    public static func hmacSHA256(_ message: some Collection<UInt8>, key: Secret) -> [UInt8] {
        withContiguous(message) { MACKey(key).code(of: UnsafeRawBufferPointer($0)) }
    }
}
