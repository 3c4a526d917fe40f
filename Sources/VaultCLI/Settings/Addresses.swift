import VaultBase

/// Where a listener listens: a host and a port, 0 for any free one.
struct ListenAddress: Sendable, Equatable, CustomStringConvertible {
    var host: String
    var port: Int

    /// nil for what is not `host:port` or `[v6]:port`.
    init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
            return nil
        }
        var host = text[..<colon]
        if host.hasPrefix("[") {
            guard host.hasSuffix("]") else { return nil }
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            return nil
        }
        guard !host.isEmpty, !host.contains(where: { $0.isWhitespace || $0 == "/" }) else { return nil }
        self.host = String(host)
        self.port = Int(port)
    }

    var isLoopback: Bool { WebAddress.isLoopback(host) }
    var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

/// The parts of an http or https address that the rules look at.
struct WebAddress: Sendable, Equatable {
    var scheme: String
    var host: String
    var port: Int?
    /// From the first slash; empty when there is none.
    var path: String

    /// nil for another scheme, no host, a user, a query or a fragment.
    init?(_ text: String) {
        guard let end = text.range(of: "://") else { return nil }
        scheme = text[..<end.lowerBound].lowercased()
        guard scheme == "http" || scheme == "https" else { return nil }
        let rest = text[end.upperBound...]
        guard !rest.contains(where: { "?#@ \\".contains($0) || $0.isWhitespace }) else { return nil }
        let slash = rest.firstIndex(of: "/") ?? rest.endIndex
        path = String(rest[slash...])
        var authority = rest[..<slash]
        if authority.hasPrefix("[") {
            guard let close = authority.firstIndex(of: "]") else { return nil }
            host = String(authority[authority.index(after: authority.startIndex)..<close])
            authority = authority[authority.index(after: close)...]
            guard authority.isEmpty || authority.hasPrefix(":") else { return nil }
            authority = authority.dropFirst()
        } else {
            let colon = authority.firstIndex(of: ":")
            host = String(authority[..<(colon ?? authority.endIndex)]).lowercased()
            authority = colon.map { authority[authority.index(after: $0)...] } ?? ""
            // `http://host:` is a port forgotten.
            if colon != nil, authority.isEmpty { return nil }
        }
        guard !host.isEmpty else { return nil }
        if authority.isEmpty {
            port = nil
        } else {
            guard let number = UInt16(authority), number > 0 else { return nil }
            port = Int(number)
        }
    }

    var isLoopback: Bool { Self.isLoopback(host) }
    /// As a browser writes it: without the port that is usual.
    var origin: String {
        let name = host.contains(":") ? "[\(host)]" : host
        guard let port, port != (scheme == "http" ? 80 : 443) else { return "\(scheme)://\(name)" }
        return "\(scheme)://\(name):\(port)"
    }
    /// Plain http to another machine: everybody on the way can read it.
    var isExposed: Bool { scheme == "http" && !isLoopback }

    /// `localhost`, 127.0.0.0/8 and ::1.
    static func isLoopback(_ host: String) -> Bool {
        let host = host.lowercased()
        if host == "localhost" || host == "::1" { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }
}

extension String {
    /// Where `part` first stands.
    func range(of part: String) -> Range<String.Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(part) { return start..<index(start, offsetBy: part.count) }
            start = index(after: start)
        }
        return nil
    }
}
