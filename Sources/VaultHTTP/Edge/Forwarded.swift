/// The `Forwarded` field (RFC 7239), of which only `for` is read.
enum Forwarded {
    /// Who each proxy says it was asked by, the farthest first; nil where it names no address: `unknown`, an obfuscated
    /// name, no `for` at all, or a field that is no `Forwarded`.
    ///
    /// Each line is read by itself: a quotation mark that a client left open hides nothing of a later line, and what
    /// stands behind it in its own line makes that line worthless.
    static func hops(_ lines: [String]) -> [IPAddress?] { lines.flatMap { elements($0) ?? [nil] } }

    /// The elements of one line (§4); nil when it does not follow the grammar.
    private static func elements(_ line: String) -> [IPAddress?]? {
        var rest = line.utf8[...]
        var found: [IPAddress?] = []
        while true {
            guard let element = element(&rest) else { return nil }
            found.append(element.flatMap(address))
            guard rest.popFirst() != nil else { return found }
        }
    }

    /// One element, up to its comma or the end: the value of `for`, if it is there. nil for bad grammar.
    private static func element(_ rest: inout Substring.UTF8View) -> String?? {
        var node: String?
        skipSpace(&rest)
        while let byte = rest.first, byte != comma {
            if byte == semicolon {
                rest.removeFirst()
                skipSpace(&rest)
                continue
            }
            guard let name = token(&rest), rest.popFirst() == equals, let value = value(&rest) else { return nil }
            skipSpace(&rest)
            guard rest.first.map({ $0 == comma || $0 == semicolon }) ?? true else { return nil }
            guard name.lowercased() == "for" else { continue }
            // §4: a parameter stands once in an element.
            guard node == nil else { return nil }
            node = value
        }
        return .some(node)
    }

    /// A node's address (§6): `192.0.2.1`, `192.0.2.1:80`, `[2001:db8::1]`, `[2001:db8::1]:80`.
    private static func address(_ node: String) -> IPAddress? {
        let port = node.hasPrefix("[") ? node.split(separator: "]", maxSplits: 1).dropFirst().first : nil
        if node.hasPrefix("["), !node.hasSuffix("]"), port?.hasPrefix(":") != true { return nil }
        // An address of IPv6 without brackets has no end that could be told from a port.
        guard node.hasPrefix("[") || node.utf8.count(where: { $0 == colon }) <= 1 else { return nil }
        return IPAddress(node)
    }

    // MARK: Characters

    private static func value(_ rest: inout Substring.UTF8View) -> String? {
        guard rest.first == quote else { return token(&rest) }
        rest.removeFirst()
        var bytes: [UInt8] = []
        while let byte = rest.popFirst() {
            if byte == quote { return String(decoding: bytes, as: UTF8.self) }
            guard byte == backslash else {
                bytes.append(byte)
                continue
            }
            guard let escaped = rest.popFirst() else { return nil }
            bytes.append(escaped)
        }
        return nil
    }

    /// RFC 9110 §5.6.2, and the colon and brackets that some proxies do not quote.
    private static func token(_ rest: inout Substring.UTF8View) -> String? {
        let taken = rest.prefix { byte in
            (0x30...0x3A).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                || "!#$%&'*+-.^_`|~[]".utf8.contains(byte)
        }
        guard !taken.isEmpty else { return nil }
        rest = rest[taken.endIndex...]
        return String(taken)
    }

    private static func skipSpace(_ rest: inout Substring.UTF8View) {
        rest = rest.drop { $0 == 0x20 || $0 == 0x09 }
    }

    private static let comma = UInt8(ascii: ",")
    private static let semicolon = UInt8(ascii: ";")
    private static let equals = UInt8(ascii: "=")
    private static let quote = UInt8(ascii: "\"")
    private static let backslash = UInt8(ascii: "\\")
    private static let colon = UInt8(ascii: ":")
}
