import VaultBase

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// An IP address: 16 bytes, an IPv4 one mapped into `::ffff:0:0/96` (RFC 4291 §2.5.5.2), so that both
/// forms of it are the same address.
struct IPAddress: Hashable, Sendable {
    var high: UInt64
    var low: UInt64

    private static let mapped: UInt64 = 0xFFFF_0000_0000

    var isIPv4: Bool { high == 0 && low >> 32 == 0xFFFF }

    /// Reads `192.0.2.1`, `2001:db8::1`, `[2001:db8::1]`; with a port only as `192.0.2.1:80` or `[…]:80`,
    /// the forms that proxies write.
    init?(_ text: some StringProtocol) {
        var text = String(text)
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]") else { return nil }
            text = String(text[text.index(after: text.startIndex)..<end])
        } else if text.filter({ $0 == ":" }).count == 1, let colon = text.firstIndex(of: ":") {
            text = String(text[..<colon])
        }
        var four = in_addr()
        var six = in6_addr()
        if inet_pton(AF_INET, text, &four) == 1 {
            self.init(four)
        } else if inet_pton(AF_INET6, text, &six) == 1 {
            self.init(six)
        } else {
            return nil
        }
    }

    private init(_ four: in_addr) {
        high = 0
        low = Self.mapped | UInt64(UInt32(bigEndian: four.s_addr))
    }

    private init(_ six: in6_addr) {
        (high, low) = withUnsafeBytes(of: six) {
            (
                UInt64(bigEndian: $0.loadUnaligned(as: UInt64.self)),
                UInt64(bigEndian: $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
            )
        }
    }

    /// What counts as one caller: an IPv4 address, or the /64 an IPv6 customer is given at the least.
    var caller: IPAddress {
        var caller = self
        if !isIPv4 { caller.low = 0 }
        return caller
    }

    var isLoopback: Bool { isIPv4 ? low >> 24 & 0xFF == 127 : high == 0 && low == 1 }
}

/// An address or a network in CIDR notation (RFC 4632 §3.1), `10.0.0.0/8`.
struct Network: Sendable {
    private let base: IPAddress
    private let bits: Int

    /// - Throws: `settings` for anything else.
    init(_ text: String) throws(VaultError) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        let width = parts.count == 2 ? Int(parts[1]) : nil
        guard let base = IPAddress(parts[0]), parts.count == 1 || width != nil,
            (0...(base.isIPv4 ? 32 : 128)).contains(width ?? 0)
        else {
            throw VaultError(
                .settings, "trusted-proxies: \(text) is not an address or a network",
                hint: "write it as 10.0.0.1, 10.0.0.0/8 or fd00::/8")
        }
        self.base = base
        bits = width.map { base.isIPv4 ? $0 + 96 : $0 } ?? 128
    }

    func contains(_ address: IPAddress) -> Bool {
        (address.high ^ base.high) & Self.mask(bits) == 0 && (address.low ^ base.low) & Self.mask(bits - 64) == 0
    }

    private static func mask(_ bits: Int) -> UInt64 {
        bits <= 0 ? 0 : bits >= 64 ? .max : ~(.max >> UInt64(bits))
    }
}

/// The proxies in front of us, whose word about the client's address counts.
struct TrustedProxies: Sendable {
    private let networks: [Network]

    init(_ settings: [String]) throws(VaultError) {
        var networks: [Network] = []
        for text in settings { networks.append(try Network(text)) }
        self.networks = networks
    }

    /// The client's address: the peer's, or, when the peer is a trusted proxy, the last address of `X-Forwarded-For`
    /// or `Forwarded` that is not one. What stands further left was written by the client itself.
    ///
    /// A proxy that writes one of the two passes the other on as the client sent it, and nobody can tell which: where
    /// both are there and do not say the same, neither is believed, and the proxy's own address counts.
    func client(peer: IPAddress?, forwardedFor: [String], forwarded: [String] = []) -> IPAddress? {
        guard let peer, !networks.isEmpty, isTrusted(peer) else { return peer }
        let listed = forwardedFor.flatMap { $0.split(separator: ",") }.map { hop in
            IPAddress(String(hop.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed()))
        }
        let plain = forwardedFor.isEmpty ? nil : client(behind: peer, listed)
        let standard = forwarded.isEmpty ? nil : client(behind: peer, Forwarded.hops(forwarded))
        guard let plain, let standard else { return plain ?? standard ?? peer }
        return plain == standard ? plain : peer
    }

    /// - Parameter hops: the farthest first; nil for one that names no address, behind which nothing counts.
    private func client(behind peer: IPAddress, _ hops: [IPAddress?]) -> IPAddress {
        var client = peer
        for hop in hops.reversed() {
            guard isTrusted(client), let hop else { break }
            client = hop
        }
        return client
    }

    func isTrusted(_ address: IPAddress) -> Bool { networks.contains { $0.contains(address) } }
}
