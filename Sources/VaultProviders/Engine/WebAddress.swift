/// An absolute http or https URL, read strictly: no user, no fragment, no characters that two readers could
/// understand differently (RFC 3986 §3; backslashes, spaces, controls and anything beyond ASCII are refused).
package struct WebAddress: Sendable, Equatable {
    package var isSecure: Bool
    /// In lower case; an IPv6 literal without its brackets.
    package var host: String
    package var port: Int?
    /// From the first `/`; `/` at the least.
    package var path: String
    /// Without the `?`.
    package var query: String?

    package static let sizeLimit = 8192

    package init?(_ text: String) {
        guard text.utf8.count <= Self.sizeLimit, text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }),
            !text.utf8.contains(where: { "\\\"<>^`{|}#".utf8.contains($0) })
        else { return nil }
        let rest: Substring
        if text.lowercased().hasPrefix("https://") {
            isSecure = true
            rest = text.dropFirst(8)
        } else if text.lowercased().hasPrefix("http://") {
            isSecure = false
            rest = text.dropFirst(7)
        } else {
            return nil
        }
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        let tail = rest.dropFirst(authority.count)
        let path = tail.prefix { $0 != "?" }
        self.path = path.isEmpty ? "/" : String(path)
        query = tail.count > path.count ? String(tail.dropFirst(path.count + 1)) : nil

        var port: Substring?
        if authority.hasPrefix("[") {
            guard let end = authority.firstIndex(of: "]") else { return nil }
            host = authority[authority.index(after: authority.startIndex)..<end].lowercased()
            guard host.contains(":"), host.utf8.allSatisfy({ Self.isHexDigit($0) || $0 == 0x3A || $0 == 0x2E })
            else { return nil }
            let after = authority[authority.index(after: end)...]
            guard after.isEmpty || after.hasPrefix(":") else { return nil }
            port = after.isEmpty ? nil : after.dropFirst()
        } else {
            let parts = authority.split(separator: ":", omittingEmptySubsequences: false)
            guard parts.count <= 2, let name = parts.first, !name.isEmpty, name.utf8.count <= 253,
                name.utf8.allSatisfy({ Self.isNameByte($0) }), !name.hasPrefix("."), !name.hasPrefix("-")
            else { return nil }
            host = name.lowercased()
            port = parts.count == 2 ? parts[1] : nil
        }
        if let port {
            guard port.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(port),
                (1...65535).contains(number)
            else { return nil }
            self.port = number
        }
    }

    private static func isHexDigit(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte)
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte) || (0x41...0x5A).contains(byte) || byte == 0x2D
            || byte == 0x2E || byte == 0x5F
    }

    /// 127.0.0.0/8 or ::1, written as a literal; `localhost` is a name, and names can be made to point elsewhere
    /// (RFC 8252 §8.3).
    package var isLoopbackLiteral: Bool {
        if host == "::1" { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127"
            && parts.allSatisfy { part in
                part.utf8.allSatisfy { (0x30...0x39).contains($0) } && (UInt8(part).map { "\($0)" == part } ?? false)
            }
    }

    /// Scheme, host and port, as in an `Origin` header.
    package var origin: String {
        let name = host.contains(":") ? "[\(host)]" : host
        let defaultPort = isSecure ? 443 : 80
        let suffix = port.map { $0 == defaultPort ? "" : ":\($0)" } ?? ""
        return "\(isSecure ? "https" : "http")://\(name)\(suffix)"
    }
}
