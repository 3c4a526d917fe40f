import NIOCore
import VaultBase

/// Writes JSON (RFC 8259) straight into a buffer, in the order it is told.
///
/// The hot answer is written here: no dictionary, no reflection, and a secret goes from its own memory
/// into the buffer without becoming a string in between.
struct JSONText {
    private(set) var buffer = ByteBuffer()
    private var first = true

    /// One object, its members written by `body`.
    static func object(_ body: (inout Self) throws -> Void) rethrows -> ByteBuffer {
        var text = Self()
        try text.braces(0x7B, 0x7D, body)
        return text.buffer
    }

    mutating func field(_ name: StaticString, _ value: String) {
        key(name)
        write(value)
    }

    /// Nothing at all when there is no value.
    mutating func field(_ name: StaticString, _ value: String?) {
        if let value { field(name, value) }
    }

    mutating func field(_ name: StaticString, _ secret: Secret) {
        key(name)
        secret.withBytes { quoted($0) }
    }

    /// Nothing at all when there is no secret.
    mutating func field(_ name: StaticString, _ secret: Secret?) {
        if let secret { field(name, secret) }
    }

    mutating func field(_ name: StaticString, _ value: Bool) {
        key(name)
        buffer.writeStaticString(value ? "true" : "false")
    }

    mutating func field(_ name: StaticString, _ value: Int) {
        key(name)
        buffer.writeString(String(value))
    }

    /// RFC 3339; nothing at all when there is no time.
    mutating func field(_ name: StaticString, _ time: Timestamp?) {
        if let time { field(name, time.iso8601) }
    }

    /// An array of objects.
    mutating func array<Element>(
        _ name: StaticString, _ elements: some Sequence<Element>, _ body: (inout Self, Element) throws -> Void
    ) rethrows {
        key(name)
        try braces(0x5B, 0x5D) { text in
            for element in elements {
                text.separate()
                try text.braces(0x7B, 0x7D) { try body(&$0, element) }
            }
        }
    }

    private mutating func braces(_ open: UInt8, _ close: UInt8, _ body: (inout Self) throws -> Void) rethrows {
        buffer.writeInteger(open)
        first = true
        try body(&self)
        buffer.writeInteger(close)
        first = false
    }

    private mutating func separate() {
        if !first { buffer.writeInteger(UInt8(ascii: ",")) }
        first = false
    }

    private mutating func key(_ name: StaticString) {
        separate()
        buffer.writeInteger(UInt8(ascii: "\""))
        buffer.writeStaticString(name)
        buffer.writeStaticString("\":")
    }

    private mutating func write(_ value: String) {
        var value = value
        value.withUTF8 { quoted(UnsafeRawBufferPointer($0)) }
    }

    /// RFC 8259 §7: quotation mark, reverse solidus and the control characters are escaped.
    private mutating func quoted(_ bytes: UnsafeRawBufferPointer) {
        buffer.writeInteger(UInt8(ascii: "\""))
        if bytes.contains(where: { $0 < 0x20 || $0 == 0x22 || $0 == 0x5C }) {
            for byte in bytes {
                switch byte {
                case 0x22: buffer.writeStaticString("\\\"")
                case 0x5C: buffer.writeStaticString("\\\\")
                case 0x0A: buffer.writeStaticString("\\n")
                case 0..<0x20: buffer.writeString("\\u00" + Hex.encode([byte]))
                default: buffer.writeInteger(byte)
                }
            }
        } else {
            buffer.writeBytes(bytes)
        }
        buffer.writeInteger(UInt8(ascii: "\""))
    }
}
