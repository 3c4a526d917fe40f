public import VaultBase

/// Which URLs may be called for a platform: https to a host of its list, or http to a loopback literal when the
/// operator said `insecure-loopback` (RFC 9700 §2.6; RFC 8252 §8.3).
///
/// What a description, its metadata or a hook names passes here before anything is sent there. That a name does
/// not resolve to a private address is the transport's to check: it alone sees the address.
public struct HostPolicy: Sendable {
    /// In lower case; the description's own list, or else the hosts of its endpoints and its issuer.
    public let hosts: Set<String>
    private let insecureLoopback: Bool

    public init(_ platform: Platform) {
        let description = platform.resolved.provider.description
        let listed = description.hosts.map { $0.lowercased() }
        hosts = Set(
            listed.isEmpty
                ? (description.endpoints.all + [description.issuer]).compactMap { WebAddress($0)?.host } : listed)
        insecureLoopback = platform.insecureLoopback
    }

    public func allows(_ url: String) -> Bool { (try? check(url)) != nil }

    /// - Throws: `operator` with the reason; it names the host, never the whole URL.
    public func check(_ url: String) throws(VaultError) {
        guard let address = WebAddress(url) else {
            throw VaultError(.operatorAction, "the provider's address is not a plain https URL")
        }
        guard Self.schemeAllowed(address, insecureLoopback: insecureLoopback) else {
            throw VaultError(
                .operatorAction, "the provider at \(address.host) is not on https",
                hint: "use https, or set insecure-loopback = true for a provider on 127.0.0.1 or [::1]")
        }
        guard hosts.contains(address.host) else {
            throw VaultError(.operatorAction, "\(address.host) is not a host of this provider")
        }
    }

    static func schemeAllowed(_ address: WebAddress, insecureLoopback: Bool) -> Bool {
        address.isSecure || (insecureLoopback && address.isLoopbackLiteral)
    }
}

extension ProviderDescription.Endpoints {
    var all: [String] { [authorize, token, refresh, revoke, profile, validate].filter { !$0.isEmpty } }
}
