import CSodium
public import VaultBase

/// A 32-byte key in libsodium's guarded, locked, read-only memory, wiped when the last user lets go.
public final class GuardedKey: @unchecked Sendable, CustomStringConvertible, CustomReflectable {
    /// The length of every key here, in bytes.
    public static let size = 32

    public var description: String { "<redacted>" }
    public var customMirror: Mirror { Mirror(self, children: [:]) }

    /// Copies 32 bytes in; the caller wipes its own.
    public init(copying bytes: UnsafeRawBufferPointer) throws(VaultError) { fatalError("stub") }

    /// A fresh random key.
    public static func generate() throws(VaultError) -> GuardedKey { fatalError("stub") }
}
