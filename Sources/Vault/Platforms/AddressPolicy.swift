/// Which network addresses a provider may have.
///
/// A name that resolves into our own network would let whoever controls it reach what only we can reach
/// (RFC 9700 §4.16 is about the browser; this is about us). TLS already refuses a host that cannot prove its
/// name; this refuses before a byte is sent.
enum AddressPolicy {
    enum Kind: Equatable { case `public`, loopback, `private` }

    /// - Parameter bytes: four, in network order. The ranges are the special ones of RFC 6890.
    static func kind(v4 bytes: [UInt8]) -> Kind {
        switch (bytes[0], bytes[1], bytes[2]) {
        case (127, _, _): .loopback
        case (0, _, _), (10, _, _), (169, 254, _), (192, 168, _), (192, 0, 0), (224..., _, _): .private
        case (172, 16...31, _), (100, 64...127, _), (198, 18...19, _): .private
        default: .public
        }
    }

    /// - Parameter bytes: sixteen, in network order.
    static func kind(v6 bytes: [UInt8]) -> Kind {
        if bytes[..<15].allSatisfy({ $0 == 0 }) { return bytes[15] == 1 ? .loopback : .private }
        // IPv4 in IPv6: mapped (RFC 4291 §2.5.5.2) and translated (RFC 6052 §2.1).
        if bytes[..<10].allSatisfy({ $0 == 0 }), bytes[10] == 0xFF, bytes[11] == 0xFF {
            return kind(v4: Array(bytes[12...]))
        }
        if bytes[..<4] == [0x00, 0x64, 0xFF, 0x9B], bytes[4..<12].allSatisfy({ $0 == 0 }) {
            return kind(v4: Array(bytes[12...]))
        }
        // Unique local, link local, site local, multicast.
        if bytes[0] & 0xFE == 0xFC || bytes[0] == 0xFF { return .private }
        if bytes[0] == 0xFE, bytes[1] & 0x80 == 0x80 { return .private }
        return .public
    }
}
