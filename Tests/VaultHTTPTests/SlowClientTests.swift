import Glibc
import Hummingbird
import HummingbirdTesting
import Testing
import Vault
import VaultBase

@testable import VaultHTTP

/// Clients that are slow on purpose cost a connection for a while, and nobody else anything.
@Suite struct SlowClientTests {
    /// Serves with short times while `body` knocks from a thread of its own.
    private func knock(
        _ change: (inout ListenerLimits) -> Void = { _ in }, _ body: @escaping @Sendable (Int) throws -> Void
    ) async throws -> String {
        var house = try await House()
        // Each test shortens the one it is about.
        house.options.limits.headTime = .seconds(60)
        house.options.limits.bodyTime = .seconds(60)
        change(&house.options.limits)
        try await house.application().test(.live) { client in
            let port = try #require(client.port)
            try await RawClient.onOwnThread {
                try body(port)
                // Whatever was done to it, it serves, as soon as it knows that those there are gone.
                try Self.waitUntilServed(port)
            }
        }
        return house.metrics.render()
    }

    private static func waitUntilServed(_ port: Int) throws {
        while true {
            let client = try #require(RawClient(port: port))
            client.send("GET /auth/platforms HTTP/1.1\r\nHost: localhost\r\n\r\n")
            let answer = try #require(client.read())
            if String(decoding: answer, as: UTF8.self).hasPrefix("HTTP/1.1 200") { return }
            usleep(10_000)
        }
    }

    @Test func headerFieldsThatDripEndTheConnection() async throws {
        let metrics = try await knock({ $0.headTime = .milliseconds(200) }) { port in
            let client = try #require(RawClient(port: port))
            client.send("GET /auth/platforms HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
            #expect(client.drip(String(repeating: "a", count: 800)))
        }
        #expect(metrics.contains("vault_http_connections_slow_total{reason=\"head\"} 1\n"))
    }

    @Test func theSecondRequestOfAConnectionHasTheSameTime() async throws {
        _ = try await knock({ $0.headTime = .milliseconds(200) }) { port in
            let client = try #require(RawClient(port: port))
            client.send("GET /auth/platforms HTTP/1.1\r\nHost: localhost\r\n\r\n")
            let answer = try #require(client.read())
            #expect(String(decoding: answer, as: UTF8.self).hasPrefix("HTTP/1.1 200"))
            #expect(client.drip("GET /auth/platforms HTTP/1.1\r\nX-Slow: " + String(repeating: "a", count: 800)))
        }
    }

    @Test func aBodyThatDripsEndsTheConnection() async throws {
        let metrics = try await knock({ $0.bodyTime = .milliseconds(200) }) { port in
            let client = try #require(RawClient(port: port))
            client.send(
                "POST /auth/acme/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                    + "Content-Length: 60000\r\n\r\n{\"returnTo\": \"")
            #expect(client.drip(String(repeating: "a", count: 800)))
        }
        #expect(metrics.contains("vault_http_connections_slow_total{reason=\"body\"} 1\n"))
    }

    @Test func whoTakesNothingOfTheAnswersIsLetGo() async throws {
        let metrics = try await knock({ $0.bodyTime = .milliseconds(300) }) { port in
            let client = try #require(RawClient(port: port))
            // More than all the buffers between us hold; none of it is read.
            let request = "GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n"
            let many = String(repeating: request, count: 400)
            #expect((0..<4000).contains { _ in !client.send(many) })
        }
        #expect(metrics.contains("vault_http_connections_slow_total{reason=\"answer\"} 1\n"))
    }

    @Test func aConnectionThatDoesNothingEnds() async throws {
        _ = try await knock({ $0.idleTime = .milliseconds(200) }) { port in
            let silent = try #require(RawClient(port: port))
            #expect(silent.readToEnd() == "")
            let done = try #require(RawClient(port: port))
            done.send("GET /auth/platforms HTTP/1.1\r\nHost: localhost\r\n\r\n")
            #expect(done.readToEnd()?.hasPrefix("HTTP/1.1 200") == true)
        }
    }

    @Test func aRequestThatIsBeingAnsweredIsNotIdle() async throws {
        let house = try await House()
        let session = try await house.vault.issueSession(for: UserID("ada"))
        try await house.visit { _ = try await $0.login(session: session.token.reveal()) }
        house.provider.delay = .milliseconds(1200)
        var options = house.options
        options.limits.idleTime = .milliseconds(400)
        options.limits.headTime = .milliseconds(400)
        options.limits.bodyTime = .milliseconds(400)
        let slow = Facade(vault: house.vault, options: options, logger: house.log.logger)
        try await slow.application(metrics: house.metrics).test(.live) { client in
            let port = try #require(client.port)
            try await RawClient.onOwnThread {
                let client = try #require(RawClient(port: port))
                client.send(
                    "POST /auth/acme/refresh HTTP/1.1\r\nHost: localhost\r\n"
                        + "Authorization: Bearer \(session.token.reveal())\r\n\r\n")
                #expect(client.readToEnd()?.hasPrefix("HTTP/1.1 200") == true)
            }
        }
    }

    @Test func tooManyConnectionsAreRefusedAndThoseThereAreGoOn() async throws {
        let metrics = try await knock({ $0.connections = 3 }) { port in
            // The test's own client has one.
            let first = try #require(RawClient(port: port))
            let second = try #require(RawClient(port: port))
            for client in [first, second] {
                client.send("GET /auth/platforms HTTP/1.1\r\nHost: localhost\r\n\r\n")
                #expect(client.read()?.isEmpty == false)
            }
            let third = RawClient(port: port)
            #expect(third == nil || third?.readToEnd() == "")
            first.send("GET /auth/platforms HTTP/1.1\r\nHost: localhost\r\n\r\n")
            #expect(first.read()?.isEmpty == false)
        }
        #expect(!metrics.contains("vault_http_connections_refused_total{reason=\"full\"} 0\n"))
        #expect(metrics.contains("vault_http_connections_refused_total{reason=\"address\"} 0\n"))
    }

    @Test func whereMostAreTakenWhoDoesNothingLeaves() async throws {
        let shorten: (inout ListenerLimits) -> Void = {
            $0.connections = 4
            $0.crowdedIdleTime = .milliseconds(100)
        }
        let metrics = try await knock(shorten) { port in
            let clients = (0..<4).compactMap { _ in RawClient(port: port) }
            // A minute otherwise.
            try withExtendedLifetime(clients) { try Self.waitUntilServed(port) }
        }
        #expect(!metrics.contains("vault_http_connections_refused_total{reason=\"full\"} 0\n"))
    }

    @Test func connectionsOfOneAddressAreCountedUnlessItStandsForMany() throws {
        var limits = ListenerLimits()
        limits.connections = 4
        limits.connectionsPerAddress = 2
        let proxies = try TrustedProxies(["192.0.2.1"])
        let connections = Connections(limits, metrics: PrometheusMetrics(showsProcess: false)) {
            proxies.isTrusted($0)
        }
        let client = IPAddress("198.51.100.1")
        let neighbour = IPAddress("2001:db8::1")
        #expect(connections.enter(client) == nil)
        #expect(connections.enter(client) == nil)
        #expect(connections.enter(client) == .address)
        connections.leave(client)
        #expect(connections.enter(client) == nil)
        // The same customer's /64.
        #expect(connections.enter(neighbour) == nil)
        #expect(connections.enter(IPAddress("2001:db8::2")) == nil)
        #expect(connections.isCrowded)
        #expect(connections.enter(IPAddress("2001:db8:0:1::1")) == .full)
        for address in [client, client, neighbour, neighbour] { connections.leave(address) }
        #expect(!connections.isCrowded)
        for _ in 0..<4 { #expect(connections.enter(IPAddress("192.0.2.1")) == nil) }
    }
}
