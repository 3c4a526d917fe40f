#if canImport(Glibc)
    import Glibc
#endif

/// A token, password or key that must not be seen: it prints as `<redacted>` by every path and its
/// bytes are wiped when the last copy goes.
///
/// Copies share one buffer, so passing a secret on makes no second copy in memory. ``reveal()`` does.
public struct Secret: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    // Written once when it is made and never again: reading from many threads is safe.
    private nonisolated(unsafe) let storage: Storage

    public init(_ string: String) {
        var string = string
        storage = string.withUTF8 { Storage.copying(UnsafeRawBufferPointer($0)) }
    }

    public init(bytes: some Sequence<UInt8>) {
        storage = withContiguous(bytes) { Storage.copying(UnsafeRawBufferPointer($0)) }
    }

    /// Copies the bytes once, leaving none behind; the caller wipes its own.
    public init(copying bytes: UnsafeRawBufferPointer) { storage = Storage.copying(bytes) }

    /// The length in bytes.
    public var count: Int { storage.bytes.count }
    public var isEmpty: Bool { count == 0 }

    /// The text itself, in a string that cannot be wiped: call it where the secret leaves us, nowhere else.
    public func reveal() -> String { String(decoding: storage.bytes, as: UTF8.self) }

    /// Lends the bytes; they are valid only inside `body`.
    public func withBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
        try body(UnsafeRawBufferPointer(storage.bytes))
    }

    /// Compares in time that depends on the lengths alone.
    public static func == (a: Self, b: Self) -> Bool {
        guard a.count == b.count else { return false }
        var difference: UInt8 = 0
        for index in 0..<a.count { difference |= a.storage.bytes[index] ^ b.storage.bytes[index] }
        return difference == 0
    }

    public func hash(into hasher: inout Hasher) { hasher.combine(bytes: UnsafeRawBufferPointer(storage.bytes)) }

    public var description: String { "<redacted>" }
    public var debugDescription: String { "<redacted>" }
    public var customMirror: Mirror { Mirror(self, children: [:]) }

    /// The length, and behind it in the same piece of memory the bytes.
    private final class Storage: ManagedBuffer<Int, UInt8>, CustomReflectable {
        static func copying(_ source: UnsafeRawBufferPointer) -> Storage {
            let storage = unsafeDowncast(create(minimumCapacity: source.count) { _ in source.count }, to: Storage.self)
            storage.bytes.copyMemory(from: source)
            return storage
        }

        var bytes: UnsafeMutableRawBufferPointer {
            withUnsafeMutablePointers { UnsafeMutableRawBufferPointer(start: $1, count: $0.pointee) }
        }

        deinit { withUnsafeMutablePointers { explicit_bzero($1, $0.pointee) } }

        var customMirror: Mirror { Mirror(self, children: [:]) }
    }
}
