/// One JSON text (RFC 8259), read within limits.
///
/// Numbers keep the digits they were written with, so that an account id of 19 digits stays itself. Of a
/// repeated key the last value holds, always: refusing it would lose a rotated refresh token over an unrelated
/// member, and an order that varies would let two readers see two answers.
package enum JSONValue: Sendable, Equatable {
    case null
    case bool(Bool)
    case number(String)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])

    /// The longest text that is read, in bytes.
    package static let sizeLimit = 1 << 20
    /// How deep arrays and objects may nest.
    package static let depthLimit = 32

    /// nil for anything that is not exactly one JSON text within the limits.
    package init?(_ bytes: [UInt8]) {
        guard bytes.count <= Self.sizeLimit else { return nil }
        var reader = JSONReader(bytes: bytes)
        guard let value = reader.document() else { return nil }
        self = value
    }

    /// The value at `path`: member names and array positions. A step may name alternatives, `account_id|id`;
    /// the first that is there and not null counts. An empty path is the value itself.
    package func at(_ path: [String]) -> JSONValue? {
        var value = self
        for step in path {
            guard let next = value.step(step) else { return nil }
            value = next
        }
        return value
    }

    private func step(_ step: String) -> JSONValue? {
        switch self {
        case .object(let members):
            if let value = members[step] { return value }
            for name in step.split(separator: "|") {
                if let value = members[String(name)], value != .null { return value }
            }
            return nil
        case .array(let values):
            guard let index = Int(step), values.indices.contains(index) else { return nil }
            return values[index]
        default: return nil
        }
    }

    /// A string, or a whole number as it was written; nil for everything else and for the empty string.
    package var text: String? {
        switch self {
        case .string(let text): text.isEmpty ? nil : text
        // A fraction or an exponent has more than one spelling: no name for anything.
        case .number(let digits): digits.utf8.allSatisfy { $0 == 0x2D || (0x30...0x39).contains($0) } ? digits : nil
        default: nil
        }
    }

    package var isObject: Bool { if case .object = self { true } else { false } }
}

extension JSONValue {
    /// A JSON object of strings, its members in the order given.
    package static func encode(_ members: [(name: String, value: String)]) -> [UInt8] {
        Array("{\(members.map { "\(quote($0.name)):\(quote($0.value))" }.joined(separator: ","))}".utf8)
    }

    static func quote(_ text: String) -> String {
        var out = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": out += "\\\(scalar)"
            case "\u{0}"..<"\u{20}":
                let hex = String(scalar.value, radix: 16)
                out += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out + "\""
    }
}
