import VaultBase

/// Where a login may send the browser afterwards: only what the operator listed, character for character
/// (RFC 9700 §4.11.1).
struct ReturnTo: Sendable {
    let allowed: [String]

    /// - Throws: `bad-request` for anything that is not on the list, or could be read as another host.
    func check(_ target: String?) throws(VaultError) -> String? {
        guard let target else { return nil }
        guard allowed.contains(target), Self.isSafe(target) else {
            throw VaultError(
                .badRequest, "returnTo is not one of the places a login may return to",
                hint: "list it under return-to in [frontend] of vault.conf")
        }
        return target
    }

    /// A path of this host, or an absolute URL on https, or on http to a loopback literal. What browsers
    /// read as another host (`//host`, `/\host`) is refused even when it is listed.
    static func isSafe(_ target: String) -> Bool {
        guard !target.isEmpty, target.utf8.count <= 2048, target.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }),
            !target.contains("\\")
        else { return false }
        if target.hasPrefix("/") { return !target.hasPrefix("//") }
        return ["https://", "http://127.0.0.1", "http://[::1]"].contains { target.hasPrefix($0) }
    }
}
