/// `application/x-www-form-urlencoded` (WHATWG URL §5) and percent encoding (RFC 3986 §2.1).
package enum FormText {
    /// Encodes all but the unreserved characters; a space becomes `+` in a form, `%20` elsewhere.
    package static func escape(_ text: String, spaceAsPlus: Bool = true) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var out: [UInt8] = []
        out.reserveCapacity(text.utf8.count)
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E: out.append(byte)
            case 0x20 where spaceAsPlus: out.append(0x2B)
            default: out += [0x25, digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: out, as: UTF8.self)
    }

    package static func encode(_ pairs: [(name: String, value: String)], spaceAsPlus: Bool = true) -> String {
        pairs.map { "\(escape($0.name, spaceAsPlus: spaceAsPlus))=\(escape($0.value, spaceAsPlus: spaceAsPlus))" }
            .joined(separator: "&")
    }

    /// Reads pairs in their order, repeated ones included; nil when it is not UTF-8 underneath or has more than
    /// 256 pairs. A `%` that starts no escape stands for itself.
    package static func decode(_ text: some StringProtocol) -> [(name: String, value: String)]? {
        var pairs: [(name: String, value: String)] = []
        for part in text.utf8.split(separator: UInt8(ascii: "&")) {
            let cut = part.firstIndex(of: UInt8(ascii: "="))
            guard pairs.count < 256, let name = unescape(part[..<(cut ?? part.endIndex)]),
                let value = unescape(cut.map { part[part.index(after: $0)...] } ?? part[part.endIndex...])
            else { return nil }
            pairs.append((name, value))
        }
        return pairs
    }

    private static func unescape(_ bytes: some Collection<UInt8>) -> String? {
        var out: [UInt8] = []
        var rest = Array(bytes)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "+") {
                out.append(0x20)
            } else if byte == UInt8(ascii: "%"), rest.count >= 2,
                let high = Character(Unicode.Scalar(rest[rest.startIndex])).hexDigitValue,
                let low = Character(Unicode.Scalar(rest[rest.startIndex + 1])).hexDigitValue
            {
                out.append(UInt8(high << 4 | low))
                rest = rest.dropFirst(2)
            } else {
                out.append(byte)
            }
        }
        return String(validating: out, as: UTF8.self)
    }
}
