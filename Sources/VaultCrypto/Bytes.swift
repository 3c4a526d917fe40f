// Reading and writing the vault's own formats: little-endian numbers, counted bytes, no trust in any length.
// Inlined, because every field of every record that is read goes through here.

/// Reads bytes from the front; every read answers nil when there are too few.
package struct ByteReader {
    package var rest: UnsafeRawBufferPointer

    @inlinable package init(_ bytes: UnsafeRawBufferPointer) { rest = bytes }

    @inlinable package var isAtEnd: Bool { rest.isEmpty }

    @inlinable @inline(__always) package mutating func bytes(_ count: Int) -> UnsafeRawBufferPointer? {
        guard count >= 0, count <= rest.count else { return nil }
        defer { rest = UnsafeRawBufferPointer(rebasing: rest[count...]) }
        return UnsafeRawBufferPointer(rebasing: rest[..<count])
    }

    @inlinable @inline(__always) package mutating func u8() -> UInt8? { bytes(1)?[0] }
    @inlinable @inline(__always) package mutating func u16() -> UInt16? {
        bytes(2).map { UInt16(littleEndian: $0.loadUnaligned(as: UInt16.self)) }
    }
    @inlinable @inline(__always) package mutating func u32() -> UInt32? {
        bytes(4).map { UInt32(littleEndian: $0.loadUnaligned(as: UInt32.self)) }
    }
    @inlinable @inline(__always) package mutating func u64() -> UInt64? {
        bytes(8).map { UInt64(littleEndian: $0.loadUnaligned(as: UInt64.self)) }
    }
    @inlinable @inline(__always) package mutating func i64() -> Int64? { u64().map { Int64(bitPattern: $0) } }
    @inlinable @inline(__always) package mutating func array(_ count: Int) -> [UInt8]? { bytes(count).map(Array.init) }
}

/// Writes bytes into a buffer; what has no room is left out and ``overflowed`` tells.
package struct ByteWriter {
    @usableFromInline let buffer: UnsafeMutableRawBufferPointer
    package var count = 0
    package var overflowed = false

    @inlinable package init(_ buffer: UnsafeMutableRawBufferPointer) { self.buffer = buffer }

    @inlinable @inline(__always) package mutating func bytes(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count <= buffer.count - count else {
            overflowed = true
            return
        }
        if let start = buffer.baseAddress, let source = bytes.baseAddress {
            (start + count).copyMemory(from: source, byteCount: bytes.count)
        }
        count += bytes.count
    }

    @inlinable @inline(__always) package mutating func u8(_ value: UInt8) { withUnsafeBytes(of: value) { bytes($0) } }
    @inlinable @inline(__always) package mutating func u16(_ value: UInt16) {
        withUnsafeBytes(of: value.littleEndian) { bytes($0) }
    }
    @inlinable @inline(__always) package mutating func u32(_ value: UInt32) {
        withUnsafeBytes(of: value.littleEndian) { bytes($0) }
    }
    @inlinable @inline(__always) package mutating func u64(_ value: UInt64) {
        withUnsafeBytes(of: value.littleEndian) { bytes($0) }
    }
    @inlinable @inline(__always) package mutating func i64(_ value: Int64) { u64(UInt64(bitPattern: value)) }
}

extension [UInt8] {
    package mutating func append(u16 value: UInt16) {
        Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) }
    }
    package mutating func append(u32 value: UInt32) {
        Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) }
    }
    package mutating func append(u64 value: UInt64) {
        Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) }
    }
    package mutating func append(i64 value: Int64) { append(u64: UInt64(bitPattern: value)) }
}
