import Testing
import VaultBase
import VaultProviders

@testable import Vault

@Suite struct AddressPolicyTests {
    @Test(arguments: [
        ("8.8.8.8", AddressPolicy.Kind.public), ("127.0.0.1", .loopback), ("127.9.9.9", .loopback),
        ("10.0.0.1", .private), ("172.15.0.1", .public), ("172.16.0.1", .private), ("172.31.255.255", .private),
        ("172.32.0.1", .public), ("192.168.1.1", .private), ("169.254.169.254", .private), ("100.64.0.1", .private),
        ("100.128.0.1", .public), ("0.0.0.0", .private), ("224.0.0.1", .private), ("255.255.255.255", .private),
        ("198.18.0.1", .private), ("192.0.0.8", .private), ("192.0.2.1", .public),
    ])
    func knowsTheRangesOfIPv4(text: String, kind: AddressPolicy.Kind) {
        #expect(AddressPolicy.kind(v4: text.split(separator: ".").compactMap { UInt8($0) }) == kind)
    }

    @Test(arguments: [
        ("20014860486000000000000000008888", AddressPolicy.Kind.public),
        ("00000000000000000000000000000001", .loopback), ("00000000000000000000000000000000", .private),
        ("fe800000000000000000000000000001", .private), ("fec00000000000000000000000000001", .private),
        ("fd000000000000000000000000000001", .private), ("fc000000000000000000000000000001", .private),
        ("ff020000000000000000000000000001", .private), ("00000000000000000000ffff7f000001", .loopback),
        ("00000000000000000000ffff0a000001", .private), ("00000000000000000000ffff08080808", .public),
        ("0064ff9b00000000000000000a000001", .private), ("0064ff9b000000000000000008080808", .public),
    ])
    func knowsTheRangesOfIPv6(hex: String, kind: AddressPolicy.Kind) throws {
        #expect(AddressPolicy.kind(v6: try #require(Hex.decode(hex))) == kind)
    }

    @Test(arguments: [
        ("10.0.0.1", false, false, "address-refused"), ("10.0.0.1", true, false, "address-refused"),
        ("10.0.0.1", false, true, nil), ("127.0.0.1", false, false, "address-refused"),
        ("127.0.0.1", true, false, nil), ("localhost", false, false, "address-refused"),
        ("169.254.169.254", true, false, "address-refused"), ("no-such-host.invalid", false, true, "dns-failed"),
    ])
    func asksTheResolverFirst(host: String, loopback: Bool, own: Bool, expected: String?) async throws {
        let address = try #require(WebAddress("https://\(host)/token"))
        var code: String?
        do {
            try await AddressCheck().check(address, insecureLoopback: loopback, allowPrivate: own)
        } catch {
            code = error.code
        }
        #expect(code == expected)
    }
}
