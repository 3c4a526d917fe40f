import CSodium
import Synchronization
public import VaultBase

/// A 32-byte key in libsodium's guarded, locked, read-only memory, wiped when the last user lets go.
///
/// Guard pages stand on both sides, the page is kept out of core dumps and, where the limit on locked
/// memory allows, out of swap. Making one costs about 35 µs and four pages: it is for keys that live
/// long, not for one key a record.
public final class GuardedKey: @unchecked Sendable, CustomStringConvertible, CustomReflectable {
    // Filled in init, read-only memory from then on: reading from many threads is safe.
    private let memory: UnsafeMutableRawPointer

    /// The length of every key here, in bytes.
    public static let size = 32

    /// Whether the operating system agreed to keep this key out of swap.
    public let isLocked: Bool

    /// Whether any key of this process could not be locked: raise the limit on locked memory
    /// (`LimitMEMLOCK=` in systemd, `ulimit -l`) or run without swap.
    public static var lockingFailed: Bool { failures.load(ordering: .relaxed) > 0 }
    private static let failures = Atomic<Int>(0)

    public var description: String { "<redacted>" }
    public var customMirror: Mirror { Mirror(self, children: [:]) }

    /// Copies 32 bytes in; the caller wipes its own.
    ///
    /// - Throws: `bad-request` when there are not exactly 32.
    public convenience init(copying bytes: UnsafeRawBufferPointer) throws(VaultError) {
        guard bytes.count == Self.size else {
            throw VaultError(.badRequest, "a key must be \(Self.size) bytes, this one has \(bytes.count)")
        }
        try self.init { $0.copyMemory(from: bytes) }
    }

    /// A fresh random key.
    public static func generate() throws(VaultError) -> GuardedKey {
        try GuardedKey { Random.fill($0) }
    }

    /// Lends guarded memory to `fill` once, then makes it read-only.
    package init(filling fill: (UnsafeMutableRawBufferPointer) -> Void) throws(VaultError) {
        _ = Sodium.ready
        guard let memory = sodium_malloc(Self.size) else {
            throw VaultError(.unavailable, "no memory for a key", hint: "raise the limit on locked memory")
        }
        // sodium_malloc says nothing when it could not lock; asking again does.
        isLocked = sodium_mlock(memory, Self.size) == 0
        if !isLocked { Self.failures.add(1, ordering: .relaxed) }
        self.memory = memory
        fill(UnsafeMutableRawBufferPointer(start: memory, count: Self.size))
        sodium_mprotect_readonly(memory)
    }

    deinit {
        // Makes it writable, wipes it, unlocks it and gives it back.
        sodium_free(memory)
    }

    /// Lends the key; the bytes are valid only inside `body`.
    public func withBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
        try body(UnsafeRawBufferPointer(start: memory, count: Self.size))
    }

    /// The key's address, good while this object lives: for the one path where a closure is too much.
    package var address: UnsafeRawPointer { UnsafeRawPointer(memory) }

    /// A key for one purpose: BLAKE2b-256(this key, purpose, message).
    package func derive(_ purpose: Purpose, _ message: [UInt8] = []) throws(VaultError) -> GuardedKey {
        try GuardedKey { output in
            message.withUnsafeBytes { Blake2b.hash($0, key: address, for: purpose, into: output) }
        }
    }

    /// Compares in constant time.
    package func equals(_ other: GuardedKey) -> Bool { sodium_memcmp(memory, other.memory, Self.size) == 0 }
}
