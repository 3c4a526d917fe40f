import VaultBase
import VaultCrypto

// A payload: version u8=1, then fields, each tag u8 · length u16 · bytes, tags rising. Numbers are
// little-endian, text is UTF-8. A reader refuses a tag it does not know, unless it is 128 or more.

/// Writes the fields of a payload.
struct FieldWriter {
    private(set) var bytes: ByteWriter

    init(_ buffer: UnsafeMutableRawBufferPointer) {
        bytes = ByteWriter(buffer)
        bytes.u8(1)
    }

    mutating func field(_ tag: UInt8, _ value: UnsafeRawBufferPointer) {
        bytes.u8(tag)
        bytes.u16(UInt16(clamping: value.count))
        bytes.bytes(value)
    }

    mutating func field(_ tag: UInt8, _ text: String) {
        var text = text
        text.withUTF8 { field(tag, UnsafeRawBufferPointer($0)) }
    }

    mutating func field(_ tag: UInt8, _ secret: Secret) { secret.withBytes { field(tag, $0) } }
    mutating func field(_ tag: UInt8, _ number: UInt64) { withUnsafeBytes(of: number.littleEndian) { field(tag, $0) } }
    mutating func field(_ tag: UInt8, _ time: Timestamp) { field(tag, UInt64(bitPattern: time.rawValue)) }
}

/// Reads the fields of a payload, one after the other.
struct FieldReader {
    private let payload: UnsafeRawBufferPointer
    private var position = 1
    private var last: UInt8 = 0

    init(_ payload: UnsafeRawBufferPointer) throws(VaultError) {
        self.payload = payload
        guard let version = payload.first, version >= 1 else { throw EnvelopeError.damaged }
        guard version == 1 else { throw EnvelopeError.newer }
    }

    /// The next field, nil at the end; tags of 128 and more are passed over.
    ///
    /// - Parameters:
    ///   - known: the highest tag the caller reads.
    ///   - late: which of those from 128 on it reads.
    mutating func next(known: UInt8, and late: ClosedRange<UInt8>? = nil) throws(VaultError) -> Field? {
        while position < payload.count {
            let start = position + 3
            guard start <= payload.count else { throw EnvelopeError.damaged }
            let tag = payload[position]
            let count = payload.loadUnaligned(fromByteOffset: position + 1, as: UInt16.self)
            let end = start + Int(UInt16(littleEndian: count))
            guard tag > last, end <= payload.count else { throw EnvelopeError.damaged }
            last = tag
            position = end
            if tag <= known || late?.contains(tag) ?? false {
                return Field(tag: tag, bytes: UnsafeRawBufferPointer(rebasing: payload[start..<end]))
            }
            if tag < 128 { throw EnvelopeError.newer }
        }
        return nil
    }
}

/// One field; its bytes are lent like the payload's.
struct Field {
    let tag: UInt8
    let bytes: UnsafeRawBufferPointer

    var text: String { String(decoding: bytes, as: UTF8.self) }
    var secret: Secret { Secret(copying: bytes) }

    var number: UInt64 {
        get throws(VaultError) {
            guard bytes.count == 8 else { throw EnvelopeError.damaged }
            return UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
        }
    }

    var time: Timestamp { get throws(VaultError) { Timestamp(rawValue: Int64(bitPattern: try number)) } }
}
