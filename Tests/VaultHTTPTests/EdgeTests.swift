import HTTPTypes
import NIOCore
import Synchronization
import Testing
import VaultBase

@testable import VaultHTTP

/// Milliseconds moved by hand.
final class HandClock: Sendable {
    private let time = Atomic<Int64>(0)
    var now: @Sendable () -> Int64 { { self.time.load(ordering: .relaxed) } }
    func advance(_ milliseconds: Int64) { time.add(milliseconds, ordering: .relaxed) }
}

@Suite struct RateLimiterTests {
    @Test func allowsAMinutesRequestsAtOnceAndThenOneAtATime() {
        let clock = HandClock()
        let limiter = RateLimiter(perMinute: 10, now: clock.now)
        for left in (0..<10).reversed() {
            let allowance = limiter.take("a")
            #expect(allowance.allowed)
            #expect(allowance.remaining == left)
        }
        let refused = limiter.take("a")
        #expect(!refused.allowed)
        #expect(refused.wait == 6000)
        clock.advance(5999)
        #expect(!limiter.take("a").allowed)
        clock.advance(1)
        #expect(limiter.take("a").allowed)
        #expect(!limiter.take("a").allowed)
        clock.advance(600_000)
        #expect(limiter.take("a").remaining == 9)
    }

    @Test func oneCallerDoesNotTakeFromAnother() {
        let limiter = RateLimiter(perMinute: 1, now: HandClock().now)
        #expect(limiter.take("a").allowed)
        #expect(!limiter.take("a").allowed)
        #expect(limiter.take("b").allowed)
    }

    @Test func aMillionCallersLeaveTheLastOnesLimited() {
        // The table has 16384 places; who was there just now is still known.
        let limiter = RateLimiter(perMinute: 2, now: HandClock().now)
        for caller in 0..<1_000_000 { _ = limiter.take(caller) }
        #expect(limiter.take(999_999).remaining == 0)
        #expect(!limiter.take(999_999).allowed)
    }

    @Test func noLimitIsNoLimit() {
        let limiter = RateLimiter(perMinute: 0, now: HandClock().now)
        for _ in 0..<1000 { #expect(limiter.take("a").allowed) }
        var headers = HTTPFields()
        limiter.take("a").write(to: &headers)
        #expect(headers.isEmpty)
    }
}

@Suite struct AddressTests {
    @Test(arguments: [
        ("192.0.2.1", "192.0.2.1:443"), ("192.0.2.1", "::ffff:192.0.2.1"), ("2001:db8::1", "[2001:db8::1]:443"),
        ("2001:db8::1", "2001:0db8:0:0::1"),
    ])
    func twoSpellingsAreOneAddress(_ one: String, _ other: String) {
        #expect(IPAddress(one) != nil)
        #expect(IPAddress(one) == IPAddress(other))
    }

    @Test(arguments: ["", "localhost", "1.2.3", "1.2.3.4.5", "[::1", "256.0.0.1", "1.2.3.4, 5.6.7.8", "::g"])
    func whatIsNoAddressIsNone(_ text: String) { #expect(IPAddress(text) == nil) }

    @Test func anIPv6CustomerIsOneCaller() throws {
        #expect(IPAddress("2001:db8:1:2::1")?.caller == IPAddress("2001:db8:1:2:ffff::9")?.caller)
        #expect(IPAddress("2001:db8:1:2::1")?.caller != IPAddress("2001:db8:1:3::1")?.caller)
        #expect(IPAddress("192.0.2.1")?.caller != IPAddress("192.0.2.2")?.caller)
    }

    @Test(arguments: [
        ("10.0.0.0/8", "10.255.0.1", true), ("10.0.0.0/8", "11.0.0.1", false), ("10.0.0.7", "10.0.0.7", true),
        ("10.0.0.7", "10.0.0.6", false), ("0.0.0.0/0", "203.0.113.9", true), ("0.0.0.0/0", "2001:db8::1", false),
        ("fd00::/8", "fd12:3456::1", true), ("fd00::/8", "fe80::1", false), ("::/0", "2001:db8::1", true),
        ("2001:db8::/33", "2001:db8:8000::1", false), ("192.0.2.128/25", "192.0.2.127", false),
    ])
    func aNetworkHoldsItsAddresses(_ network: String, _ address: String, _ held: Bool) throws {
        #expect(try Network(network).contains(try #require(IPAddress(address))) == held)
    }

    @Test(arguments: ["10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/", "10.0.0.0/8/8", "proxy", "", "::/129", "10.0.0.0/x"])
    func aNetworkThatIsNoneIsASettingsError(_ text: String) {
        let error = #expect(throws: VaultError.self) { try Network(text) }
        #expect(error?.code == .settings)
        #expect(error?.hint != nil)
    }

    @Test(arguments: [
        // A client that is not a proxy is itself, whatever it writes.
        ("203.0.113.9", ["198.51.100.1"], "203.0.113.9"),
        ("10.0.0.1", ["203.0.113.9"], "203.0.113.9"),
        // What the client wrote stands left of what our proxy wrote.
        ("10.0.0.1", ["1.1.1.1, 203.0.113.9"], "203.0.113.9"),
        ("10.0.0.1", ["1.1.1.1", "203.0.113.9"], "203.0.113.9"),
        ("10.0.0.1", ["203.0.113.9, 10.0.0.2"], "203.0.113.9"),
        ("10.0.0.1", ["203.0.113.9, nonsense"], "10.0.0.1"),
        ("10.0.0.1", [], "10.0.0.1"),
    ])
    func theClientIsTheLastAddressThatIsNoProxy(_ peer: String, _ forwarded: [String], _ client: String) throws {
        let proxies = try TrustedProxies(["10.0.0.0/8"])
        #expect(proxies.client(peer: IPAddress(peer), forwardedFor: forwarded) == IPAddress(client))
    }
}

@Suite struct OriginTests {
    @Test(arguments: [
        ("https://App.Example.com/path?x#y", "https://app.example.com"),
        ("https://a.example:443/", "https://a.example"),
        ("http://a.example:80", "http://a.example"), ("http://127.0.0.1:8000/", "http://127.0.0.1:8000"),
        ("https://[::1]:8443", "https://[::1]:8443"),
    ])
    func anOriginIsWrittenAsABrowserWritesIt(_ url: String, _ origin: String) {
        #expect(Origins.origin(of: url) == origin)
    }

    @Test(arguments: [
        "", "null", "ftp://a", "https://", "https://user@a", "https://*.example.com", "https:///x", "app",
    ])
    func whatHasNoOriginHasNone(_ url: String) { #expect(Origins.origin(of: url) == nil) }

    @Test(arguments: ["https://a.example/path", "*", "a.example", "https://*.example"])
    func anAllowedOriginThatIsNoneIsASettingsError(_ text: String) {
        let error = #expect(throws: VaultError.self) {
            try Origins(frontend: "https://f.example", issuer: "", allowed: [text])
        }
        #expect(error?.code == .settings)
    }

    @Test func comparesWholeOrigins() throws {
        let origins = try Origins(
            frontend: "https://f.example/app", issuer: "https://api.example", allowed: ["https://g.example/"])
        #expect(origins.mayRead("https://f.example"))
        #expect(origins.mayRead("https://g.example"))
        for other in [
            "https://f.example.evil.example", "https://xf.example", "http://f.example", "null", "https://f.example:444",
        ] {
            #expect(!origins.mayRead(other))
            #expect(!origins.mayWrite(other))
        }
        #expect(origins.mayWrite("https://api.example"))
        #expect(!origins.mayRead("https://api.example"))
    }
}

@Suite struct FormTests {
    @Test func keepsOrderAndRepeats() throws {
        let parsed = try FormParameters.parse("b=1&a=x%20y+z&b=2&c&d=&=e&&f=%C3%A9%3D")
        #expect(parsed.map(\.name) == ["b", "a", "b", "c", "d", "", "f"])
        #expect(parsed.map(\.value) == ["1", "x y z", "2", "", "", "e", "é="])
    }

    @Test(arguments: ["a=%", "a=%2", "a=%zz", "a=%ff", "%80=1", "a=%+1"])
    func whatIsNotWellEncodedIsRefused(_ text: String) {
        let error = #expect(throws: VaultError.self) { try FormParameters.parse(text) }
        #expect(error?.code == .badRequest)
    }

    @Test func takesSixteenKibibytesAndNoMore() throws {
        #expect(try FormParameters.parse(String(repeating: "a", count: 16384)).count == 1)
        #expect(throws: VaultError.self) { try FormParameters.parse(String(repeating: "a", count: 16385)) }
    }

    @Test func whatIsEncodedReadsBackTheSame() throws {
        let parameters = [(name: "a b", value: "é&=+#%\u{0}\u{1F512}"), (name: "", value: "")]
        let read = try FormParameters.parse(FormParameters.encode(parameters))
        #expect(read.map(\.name) == parameters.map(\.name))
        #expect(read.map(\.value) == parameters.map(\.value))
    }
}

@Suite struct JSONTextTests {
    @Test func writesWhatAParserReadsBack() throws {
        let odd = "quote \" back \\ line \n tab \t nul \u{0} é \u{1F512} </script>"
        let buffer = JSONText.object {
            $0.field("text", odd)
            $0.field("secret", Secret("s\"\\\u{1}"))
            $0.field("none", nil as String?)
            $0.field("yes", true)
            $0.field("number", -5)
            $0.field("time", Timestamp(seconds: 1_790_000_000))
            $0.array("empty", [Int]()) { _, _ in }
            $0.array("list", [1, 2]) { $0.field("n", $1) }
            $0.field("last", "x")
        }
        let value = try JSONValue(buffer)
        #expect(value["text"]?.string == odd)
        #expect(value["secret"]?.string == "s\"\\\u{1}")
        #expect(value.keys == ["text", "secret", "yes", "number", "time", "empty", "list", "last"])
        #expect(value["number"]?.number == -5)
        #expect(value["time"]?.string == "2026-09-21T14:13:20Z")
        #expect(value["empty"]?.array == [])
        #expect(value["list"]?[1]?["n"]?.number == 2)
    }
}
