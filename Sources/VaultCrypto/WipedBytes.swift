import CSodium

/// A buffer for plaintext: one owner, no copies, wiped when it goes.
///
/// Arrays and strings cannot be wiped (a write copies when another name shares them, and growing leaves
/// the old bytes in the heap), so a payload is built in and opened into one of these.
package struct WipedBytes: ~Copyable {
    private let memory: UnsafeMutableRawBufferPointer

    /// `count` bytes of zeros.
    package init(count: Int) {
        memory = .allocate(byteCount: count, alignment: 8)
        memory.initializeMemory(as: UInt8.self, repeating: 0)
    }

    deinit {
        if let start = memory.baseAddress { sodium_memzero(start, memory.count) }
        memory.deallocate()
    }

    package var count: Int { memory.count }

    /// Lends the bytes; they are valid only inside `body`.
    package borrowing func withBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
        try body(UnsafeRawBufferPointer(memory))
    }

    /// Lends the bytes to be written.
    package mutating func withMutableBytes<R>(
        _ body: (UnsafeMutableRawBufferPointer) throws -> R
    ) rethrows -> R { try body(memory) }
}

/// Wipes `bytes`, in a way the compiler does not leave out.
package func wipe(_ bytes: UnsafeMutableRawBufferPointer) {
    if let start = bytes.baseAddress { sodium_memzero(start, bytes.count) }
}
