import NIOCore
import VaultBase

/// Writes JSON (RFC 8259) in the order it is told.
///
/// The hot answer is written here: no dictionary, no reflection, and a secret goes from its own memory
/// into the text without becoming a string in between.
struct JSONText {
    private var text: [UInt8] = []
    private var first = true

    private init() { text.reserveCapacity(1024) }

    /// One object, its members written by `body`.
    static func object(_ body: (inout Self) throws -> Void) rethrows -> ByteBuffer {
        var text = Self()
        try text.braces(0x7B, 0x7D, body)
        return ByteBuffer(bytes: text.text)
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
        append(value ? "true" : "false")
    }

    mutating func field(_ name: StaticString, _ value: Int) {
        key(name)
        text.append(contentsOf: String(value).utf8)
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
        text.append(open)
        first = true
        try body(&self)
        text.append(close)
        first = false
    }

    private mutating func separate() {
        if !first { text.append(UInt8(ascii: ",")) }
        first = false
    }

    private mutating func key(_ name: StaticString) {
        separate()
        text.append(UInt8(ascii: "\""))
        append(name)
        append("\":")
    }

    private mutating func append(_ constant: StaticString) {
        text.append(contentsOf: UnsafeBufferPointer(start: constant.utf8Start, count: constant.utf8CodeUnitCount))
    }

    private mutating func write(_ value: String) {
        var value = value
        value.withUTF8 { quoted(UnsafeRawBufferPointer($0)) }
    }

    /// RFC 8259 §7: quotation mark, reverse solidus and the control characters are escaped.
    private mutating func quoted(_ bytes: UnsafeRawBufferPointer) {
        text.append(UInt8(ascii: "\""))
        if Self.needsEscapes(bytes) {
            for byte in bytes {
                switch byte {
                case 0x22: append("\\\"")
                case 0x5C: append("\\\\")
                case 0x0A: append("\\n")
                case 0..<0x20: text.append(contentsOf: ("\\u00" + Hex.encode([byte])).utf8)
                default: text.append(byte)
                }
            }
        } else {
            text.append(contentsOf: bytes)
        }
        text.append(UInt8(ascii: "\""))
    }

    /// Every byte is looked at, without a branch for each: that goes many at a time.
    private static func needsEscapes(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var found: UInt8 = 0
        for byte in bytes { found |= (byte < 0x20 ? 1 : 0) | (byte == 0x22 ? 1 : 0) | (byte == 0x5C ? 1 : 0) }
        return found != 0
    }
}
