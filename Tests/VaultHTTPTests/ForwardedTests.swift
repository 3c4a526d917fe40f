import Testing

@testable import VaultHTTP

@Suite struct ForwardedTests {
    @Test(arguments: [
        ("for=192.0.2.60", ["192.0.2.60"]),
        ("for=192.0.2.60;proto=http;by=203.0.113.43", ["192.0.2.60"]),
        ("proto=http ; For=\"192.0.2.60:8080\"", ["192.0.2.60"]),
        ("for=\"[2001:db8:cafe::17]:4711\"", ["2001:db8:cafe::17"]),
        ("for=\"[2001:db8:cafe::17]\"", ["2001:db8:cafe::17"]),
        ("FOR=192.0.2.43, for=198.51.100.17", ["192.0.2.43", "198.51.100.17"]),
        ("for=192.0.2.43,for=\"[::1]\";by=x", ["192.0.2.43", "::1"]),
        ("for=\"192.0.2.\\4\\3\"", ["192.0.2.43"]),
        ("host=\"a,b;for=1.1.1.1\";for=192.0.2.1", ["192.0.2.1"]),
    ])
    func readsWhoEachProxySaysItWasAskedBy(_ line: String, _ addresses: [String]) {
        #expect(Forwarded.hops([line]) == addresses.map { IPAddress($0) })
    }

    /// None of them names an address, and none hides what another line says.
    @Test(arguments: [
        "for=unknown", "for=_hidden", "for=\"_gazonk:47011\"", "proto=https", "", ";", "for=", "for", "for=\"",
        "=1.1.1.1", "for=\"1.1.1.1", "for=\"1.1.1.1\"x", "for=1.1.1.1 for=2.2.2.2", "for=1.1.1.1;for=2.2.2.2",
        "for =1.1.1.1", "for=\"2001:db8::1\"", "for=\"[2001:db8::1\"", "for=\"[2001:db8::1]x\"", "for=\"[1.1.1.1]\"\\",
        "for=1.1.1.1:80:80", "for=\"1.1.1.1\\", "for=\u{1}1.1.1.1", "for=1.1.1.1/8",
    ])
    func whatNamesNoAddressIsNone(_ line: String) {
        #expect(Forwarded.hops([line]) == [nil], "\(line)")
        #expect(Forwarded.hops([line, "for=192.0.2.1"]) == [nil, IPAddress("192.0.2.1")])
    }

    @Test func aQuoteLeftOpenMakesItsLineWorthless() {
        // The client's half, and what a proxy added to the same line.
        #expect(Forwarded.hops(["for=\"x, for=192.0.2.1"]) == [nil])
        #expect(Forwarded.hops(["for=\"x, for=\"[2001:db8::1]\""]) == [nil])
    }

    @Test(arguments: [
        ("10.0.0.1", ["for=203.0.113.9"], "203.0.113.9"),
        // What the client wrote stands left of what our proxy wrote.
        ("10.0.0.1", ["for=1.1.1.1, for=203.0.113.9"], "203.0.113.9"),
        ("10.0.0.1", ["for=1.1.1.1", "for=203.0.113.9, for=10.0.0.2"], "203.0.113.9"),
        ("10.0.0.1", ["for=203.0.113.9, for=unknown"], "10.0.0.1"),
        ("10.0.0.1", ["for=203.0.113.9, for=_x, for=10.0.0.2"], "10.0.0.2"),
        ("203.0.113.9", ["for=198.51.100.1"], "203.0.113.9"),
    ])
    func theClientIsTheLastThatIsNoProxy(_ peer: String, _ lines: [String], _ client: String) throws {
        let proxies = try TrustedProxies(["10.0.0.0/8"])
        #expect(proxies.client(peer: IPAddress(peer), forwardedFor: [], forwarded: lines) == IPAddress(client))
    }

    @Test(arguments: [
        ("203.0.113.9", "for=203.0.113.9", "203.0.113.9"),
        // Whichever of the two the client wrote: its word changes nothing.
        ("203.0.113.9", "for=198.51.100.1", "10.0.0.1"),
        ("198.51.100.1", "for=203.0.113.9", "10.0.0.1"),
        ("203.0.113.9", "for=unknown", "10.0.0.1"),
        ("203.0.113.9", "nonsense", "10.0.0.1"),
        ("nonsense", "for=203.0.113.9", "10.0.0.1"),
    ])
    func twoHeadersThatDisagreeAreNotBelieved(_ plain: String, _ standard: String, _ client: String) throws {
        let proxies = try TrustedProxies(["10.0.0.0/8"])
        let found = proxies.client(peer: IPAddress("10.0.0.1"), forwardedFor: [plain], forwarded: [standard])
        #expect(found == IPAddress(client))
    }
}
