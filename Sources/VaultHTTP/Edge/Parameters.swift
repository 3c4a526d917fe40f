import VaultBase

/// `application/x-www-form-urlencoded` (WHATWG URL §5): in order, repeated names kept, because a repeated
/// one is a reason to refuse (RFC 6749 §3.1).
enum FormParameters {
    /// - Throws: `bad-request` for over ``Limits/parameters`` bytes, bad escapes and text that is not UTF-8.
    static func parse(_ text: String) throws(VaultError) -> [(name: String, value: String)] {
        guard text.utf8.count <= Limits.parameters else {
            throw VaultError(.badRequest, "the parameters are over \(Limits.parameters) bytes")
        }
        var parameters: [(name: String, value: String)] = []
        for pair in text.utf8.split(separator: UInt8(ascii: "&")) {
            let halves = pair.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = decode(halves[0]), let value = halves.count == 2 ? decode(halves[1]) : "" else {
                throw VaultError(.badRequest, "a parameter is not well encoded")
            }
            parameters.append((name, value))
        }
        return parameters
    }

    /// RFC 3986 §2.1 around everything but the unreserved characters.
    static func encode(_ text: String) -> String {
        var out: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E: out.append(byte)
            default: out += Array("%\(Hex.encode([byte]).uppercased())".utf8)
            }
        }
        return String(decoding: out, as: UTF8.self)
    }

    static func encode(_ parameters: [(name: String, value: String)]) -> String {
        parameters.map { "\(encode($0.name))=\(encode($0.value))" }.joined(separator: "&")
    }

    /// One part of a path (RFC 3986 §3.3): a plus is a plus.
    static func decode(part: Substring) -> String? {
        decode(part.split(separator: "+", omittingEmptySubsequences: false).joined(separator: "%2B")[...].utf8)
    }

    private static func decode(_ text: Substring.UTF8View) -> String? {
        var out: [UInt8] = []
        var rest = text[...]
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "+"): out.append(0x20)
            case UInt8(ascii: "%"):
                guard let digits = String(rest.prefix(2)), let value = Hex.decode(digits), value.count == 1 else {
                    return nil
                }
                out += value
                rest = rest.dropFirst(2)
            default: out.append(byte)
            }
        }
        return String(validating: out, as: UTF8.self)
    }
}
