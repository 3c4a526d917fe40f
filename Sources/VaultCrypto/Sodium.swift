import CSodium

/// libsodium, ready for use.
///
/// `sodium_init` picks implementations for this processor and opens the source of randomness. Touching
/// ``ready`` before the first call of any function here is enough; it runs once and is thread-safe.
enum Sodium {
    static let ready: Void = {
        // It fails only where the system has no source of randomness: nothing safe can be done then.
        precondition(sodium_init() >= 0, "libsodium cannot start: the system gives no random bytes")
    }()
}

// libsodium wants an address even of nothing; an empty buffer of ours may have none.
nonisolated(unsafe) private let nowhere = UnsafeMutableRawPointer.allocate(byteCount: 1, alignment: 1)

extension UnsafeRawBufferPointer {
    /// The first byte, or an address that must not be read when there is none.
    var start: UnsafePointer<UInt8> { (baseAddress ?? UnsafeRawPointer(nowhere)).assumingMemoryBound(to: UInt8.self) }
}

extension UnsafeMutableRawBufferPointer {
    /// The first byte, or an address that must not be written when there is none.
    var start: UnsafeMutablePointer<UInt8> { (baseAddress ?? nowhere).assumingMemoryBound(to: UInt8.self) }
}
