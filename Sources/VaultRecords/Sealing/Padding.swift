import VaultCrypto

/// Padding as ISO/IEC 7816-4: one 0x80, then zeros, at least one byte.
///
/// A record's whole value comes in few sizes, which hides the lengths of tokens; the sizes are those at
/// which LMDB fits six, four, three or two to a page, then whole pages, so little is lost by it.
enum Padding {
    /// The sizes a record's value can have.
    static let classes = [298, 468, 638, 978, 1318, 1998, 4080, 8176, 12272, 16368]
    /// The longest payload a value can hold.
    static let limit = 16368 - Envelope.overhead - 1

    /// The length of the whole value for a payload of `count` bytes; nil when there is no room.
    static func total(_ count: Int, for table: SealedTable) -> Int? {
        let least = Envelope.overhead + count + 1
        if table == .records { return classes.first { $0 >= least } }
        // The small entries hide their length up to 32 bytes.
        let size = Envelope.overhead + (count + 32) / 32 * 32
        return size <= 16368 ? size : nil
    }

    static func fill(_ buffer: UnsafeMutableRawBufferPointer, after count: Int) {
        buffer[count] = 0x80
        UnsafeMutableRawBufferPointer(rebasing: buffer[(count + 1)...]).initializeMemory(as: UInt8.self, repeating: 0)
    }

    /// The length without the padding; nil when there is none. What is given was authenticated before, so
    /// the time it takes tells nothing to whoever could change it.
    static func length(of bytes: UnsafeRawBufferPointer) -> Int? {
        var end = bytes.count
        while end >= 32, bytes.loadUnaligned(fromByteOffset: end - 32, as: SIMD4<UInt64>.self) == .zero { end -= 32 }
        while end > 0, bytes[end - 1] == 0 { end -= 1 }
        guard end > 0, bytes[end - 1] == 0x80 else { return nil }
        return end - 1
    }
}
