import VaultBase

/// The web origins that may speak to us (RFC 6454): compared as whole strings, never by pattern.
struct Origins: Sendable {
    /// May read answers and send credentials (CORS).
    private let readers: Set<String>
    /// Our own pages' origin.
    private let own: String?

    /// - Throws: `settings` for an origin that is none.
    init(frontend: String, issuer: String, allowed: [String]) throws(VaultError) {
        guard let frontend = Self.origin(of: frontend) else {
            throw VaultError(
                .settings, "frontend.url: \(frontend) is not an http or https address",
                hint: "write it as https://app.example.com")
        }
        var readers: Set = [frontend]
        for text in allowed {
            // An origin has no path; a trailing slash is forgiven.
            guard let origin = Self.origin(of: text), text.filter({ $0 == "/" }).count == (text.hasSuffix("/") ? 3 : 2)
            else {
                throw VaultError(
                    .settings, "allowed-origins: \(text) is not an origin", hint: "write it as https://app.example.com")
            }
            readers.insert(origin)
        }
        self.readers = readers
        own = Self.origin(of: issuer)
    }

    func mayRead(_ origin: String) -> Bool { readers.contains(origin) }

    /// Whether a request that changes something may come from a page of that origin.
    func mayWrite(_ origin: String) -> Bool { readers.contains(origin) || origin == own }

    /// `scheme://host[:port]` of an http(s) URL as a browser writes it in `Origin`: lower case, without the
    /// scheme's own port; nil for anything else.
    static func origin(of url: String) -> String? {
        let lower = url.lowercased()
        let scheme: String
        let port: String
        if lower.hasPrefix("https://") {
            (scheme, port) = ("https://", ":443")
        } else if lower.hasPrefix("http://") {
            (scheme, port) = ("http://", ":80")
        } else {
            return nil
        }
        var authority = lower.dropFirst(scheme.count).prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        if authority.hasSuffix(port) { authority = authority.dropLast(port.count) }
        guard !authority.isEmpty, authority.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != 0x40 && $0 != 0x2A }),
            !authority.hasPrefix(":")
        else { return nil }
        return scheme + authority
    }
}
