import HTTPTypes
import NIOCore
import Testing
import Vault
import VaultBase
import VaultRecords

@testable import VaultHTTP

/// What service keys open, and every way in which they do not.
@Suite struct ServiceKeyTests {
    private static let grant = #"{"accessToken":"A2","refreshToken":"R2","subject":"other","scope":"read"}"#

    /// Each endpoint: its method, the rest of its path, its action and a body.
    private static let endpoints: [(HTTPRequest.Method, String, String, String?)] = [
        (.get, "", "read-connections", nil), (.get, "/acme/token", "read-token", nil),
        (.put, "/acme", "write", grant), (.delete, "/acme", "delete", nil),
    ]

    @Test func aBackEndReadsTokensBringsAndEndsConnections() async throws {
        let (house, key, user) = try await House.withKey()
        try await house.visit { browser async throws in
            let base = "/v1/users/\(user)/connections"
            let list = try await browser.send(.get, base, session: key)
            try OpenAPI.expect(list, is: "Connections")
            try OpenAPI.expect(try #require(try list.json["connections"]?[0]), is: "Connection")
            #expect(list.headers[.rateLimitLimit] == "600")
            #expect(!list.text.contains("access-"))

            let token = try await browser.send(.get, base + "/acme/token", session: key)
            try OpenAPI.expect(token, is: "Token")
            // It is about to end: refreshed, as for a frontend.
            house.clock.advance(.seconds(3590))
            let next = try await browser.send(.get, base + "/acme/token", session: try await house.serviceKey())
            #expect(try next.json["accessToken"] != token.json["accessToken"])
            #expect(house.provider.calls == ["exchange", "profile", "refresh"])

            // Another user, whose name must be encoded.
            let path = "/v1/users/b%2Fo%20b+%C3%BC/connections/acme"
            let key = try await house.serviceKey("writer")
            let put = try await browser.send(.put, path, session: key, json: Self.grant)
            try OpenAPI.expect(put, is: "Connection")
            #expect(!put.text.contains("A2") && !put.text.contains("R2"))
            let written = try house.vault.connections(of: UserID("b/o b+ü"))
            #expect(written.map(\.accessToken) == [Secret("A2")] && written.map(\.clientID) == ["client"])
            #expect(try await browser.send(.get, path + "/token", session: key).json["accessToken"]?.string == "A2")

            let gone = try await browser.send(.delete, path, session: key)
            try OpenAPI.expect(gone, is: "Disconnection")
            try await browser.send(.get, path + "/token", session: key).expectProblem("no-connection", 404)
        }
        let events = try house.vault.records.read { try $0.events(limit: 10) }
        let brought = events.filter { $0.facts.by == "service:writer" }
        #expect(brought.map(\.kind.name) == ["connection.connected", "connection.revoked"])
    }

    @Test(arguments: House.everyAction) func anActionThatWasNotGivenIsRefused(given: String) async throws {
        let (house, key, user) = try await House.withKey([given])
        try await house.visit { browser async throws in
            for (method, rest, action, body) in Self.endpoints where action != given {
                let uri = "/v1/users/\(user)/connections\(rest)"
                let answer = try await browser.send(method, uri, session: key, json: body)
                try answer.expectProblem("forbidden", 403, "\(method) \(rest)")
                #expect(
                    answer.headers[.wwwAuthenticate] == "Bearer error=\"insufficient_scope\", scope=\"\(action)\"")
            }
        }
        #expect(house.provider.calls == ["exchange", "profile"])
    }

    @Test func aUserIsLoggedOutEverywhere() async throws {
        let (house, key, user) = try await House.withKey(["end-sessions"])
        let reader = try await house.vault.createServiceKey(
            ServiceWish(name: "reader", actions: ["delete"], platforms: [], lifetime: nil)
        ).token.reveal()
        try await house.visit { browser async throws in
            let session = try await browser.session()
            let path = "/v1/users/\(user)/sessions"
            try await browser.send(.delete, path, session: reader).expectProblem("forbidden", 403)
            #expect(try await browser.send(.get, "/auth/session", session: session).status == .ok)
            let answer = try await browser.send(.delete, path, session: key)
            try OpenAPI.expect(answer, is: "EndedSessions")
            #expect(try answer.json["sessions"]?.number == 2)
            try await browser.send(.get, "/auth/session", session: session).expectProblem("unauthorized", 401)
            #expect(try await browser.send(.delete, path, session: key).json["sessions"]?.number == 0)
        }
        // The connections stay.
        #expect(try house.vault.connections(of: UserID(user)).count == 1)
    }

    @Test func anotherPlatformIsRefusedAndNotShown() async throws {
        let (house, key, user) = try await House.withKey(platforms: ["formal"])
        try await house.visit { browser async throws in
            for (method, rest, _, body) in Self.endpoints.dropFirst() {
                try await browser.send(method, "/v1/users/\(user)/connections\(rest)", session: key, json: body)
                    .expectProblem("forbidden", 403)
            }
            let list = try await browser.send(.get, "/v1/users/\(user)/connections", session: key)
            #expect(try list.json["connections"]?.array?.isEmpty == true)
            // Its own platform, where this user is not connected.
            try await browser.send(.get, "/v1/users/\(user)/connections/formal/token", session: key)
                .expectProblem("no-connection", 404)
            try await browser.send(.delete, "/v1/users/\(user)/connections/formal", session: key)
                .expectProblem("no-connection", 404)
        }
    }

    @Test func aKeyEndsWithItsTimeAndWithItsRevocation() async throws {
        let (house, key, user) = try await House.withKey(lifetime: 60)
        let forEver = try await house.serviceKey()
        try await house.visit { browser async throws in
            let uri = "/v1/users/\(user)/connections"
            #expect(try await browser.send(.get, uri, session: key).status == .ok)
            house.clock.advance(.seconds(60))
            try await browser.send(.get, uri, session: key).expectProblem("unauthorized", 401)
            #expect(try await browser.send(.get, uri, session: forEver).status == .ok)
            _ = try await house.vault.revokeServiceKey("again")
            let answer = try await browser.send(.get, uri, session: forEver)
            try answer.expectProblem("unauthorized", 401)
            #expect(answer.headers[.wwwAuthenticate] == "Bearer error=\"invalid_token\"")
        }
    }

    @Test func whatIsNoKeyIsRefusedInTheSameWords() async throws {
        let (house, key, user) = try await House.withKey()
        let other = try await House().serviceKey()
        try await house.visit { browser async throws in
            let uri = "/v1/users/\(user)/connections"
            let session = try await browser.session()
            var words: Set<String> = []
            let flipped = key.dropLast() + (key.hasSuffix("0") ? "1" : "0")
            let swapped = key.prefix(20) + other.dropFirst(20)
            for bad in [
                String(flipped), String(swapped), other, session, "vlt_", "x", key + "0", String(key.dropLast()),
                key.uppercased(), "vlt_" + String(repeating: "0", count: 88),
            ] {
                let answer = try await browser.send(.get, uri, session: bad)
                try answer.expectProblem("unauthorized", 401)
                words.insert(try answer.json["detail"]?.string ?? "")
            }
            #expect(words.count == 1)
            let none = try await browser.send(.get, uri)
            try none.expectProblem("unauthorized", 401)
            #expect(none.headers[.wwwAuthenticate] == "Bearer")
            // A service key is no session either.
            try await browser.send(.get, "/auth/session", session: key).expectProblem("unauthorized", 401)
            for platform in ["acme", "broken"] {
                try await browser.send(.get, "/auth/\(platform)/token", session: key)
                    .expectProblem("unauthorized", 401)
            }
        }
    }

    @Test func callsAreLimitedForEachKey() async throws {
        var (house, key, user) = try await House.withKey()
        house.options.serviceCallsPerMinute = 2
        let second = try await house.serviceKey()
        let uri = "/v1/users/\(user)/connections"
        try await house.visit { [key] browser async throws in
            for _ in 0..<2 { #expect(try await browser.send(.get, uri, session: key).status == .ok) }
            let answer = try await browser.send(.get, uri, session: key)
            try answer.expectProblem("rate-limited", 429)
            #expect(answer.headers[.retryAfter] != nil)
            #expect(try await browser.send(.get, uri, session: second).status == .ok)
        }
    }

    @Test func noPageMayReadItOrAskWhetherItMay() async throws {
        let (house, key, user) = try await House.withKey()
        try await house.visit { browser async throws in
            let uri = "/v1/users/\(user)/connections"
            let origin = HTTPField(name: .origin, value: House.frontend)
            let read = try await browser.send(.get, uri, session: key, headers: [.origin: origin.value])
            #expect(read.headers[.accessControlAllowOrigin] == nil)
            let asked = try await browser.send(
                .options, uri, headers: [.origin: origin.value, .accessControlRequestMethod: "GET"])
            #expect(asked.headers[.accessControlAllowOrigin] == nil && asked.headers[.accessControlAllowMethods] == nil)
        }
    }

    @Test func otherThingsAreRefusedByTheirCodes() async throws {
        let (house, key, user) = try await House.withKey()
        try await house.visit { browser async throws in
            let path = "/v1/users/bob/connections"
            try await browser.send(.put, path + "/none", session: key, json: Self.grant)
                .expectProblem("no-platform", 404)
            try await browser.send(.put, path + "/broken", session: key, json: Self.grant)
                .expectProblem("platform-unavailable", 503)
            try await browser.send(
                .put, path + "/acme", session: key, json: #"{"accessToken":"a","subject":"account-1"}"#
            )
            .expectProblem("account-in-use", 409)
            try await browser.send(
                .put, path + "/acme", session: key, headers: [.contentType: "text/plain"], body: .init(string: "{}")
            ).expectProblem("unsupported-media-type", 415)
            try await browser.send(.get, "/v1/users/%00/connections", session: key).expectProblem("bad-request", 400)
            try await browser.send(.get, "/v1/users/%zz/connections", session: key).expectProblem("bad-request", 400)
            try await browser.send(.get, path + "/A%20B/token", session: key).expectProblem("bad-request", 400)
            try await browser.send(.post, path + "/acme", session: key).expectProblem("method-not-allowed", 405)
            #expect(try await browser.send(.get, "/v1/users/\(user)/connections", session: key).status == .ok)
        }
    }

    @Test func theLogSaysWhichKeyDidWhatAndNeverTheKey() async throws {
        let (house, key, user) = try await House.withKey(["read-token"])
        try await house.visit { browser async throws in
            let base = "/v1/users/\(user)/connections"
            _ = try await browser.send(.get, base + "/acme/token", session: key)
            _ = try await browser.send(.delete, base + "/acme", session: key)
            _ = try await browser.send(.get, base + "/acme/token", session: key + "0")
        }
        let calls = house.log.all.filter { $0.contains("service.call") }
        #expect(calls.count == 2)
        #expect(calls.allSatisfy { $0.contains("\"service\": job") && $0.contains(user) && $0.contains("acme") })
        #expect(calls[0].contains("outcome\": ok") && calls[1].contains("outcome\": forbidden"))
        for line in house.log.all {
            #expect(!line.contains(key.dropFirst(20).prefix(32)) && !line.contains("access-"), "\(line)")
        }
        let metrics = house.metrics.render()
        #expect(metrics.contains(#"vault_service_requests_total{action="read-token",outcome="ok",service="job"} 1"#))
    }

    @Test(arguments: [
        ServiceWish(name: "", actions: ["write"], platforms: [], lifetime: nil),
        ServiceWish(name: "A B", actions: ["write"], platforms: [], lifetime: nil),
        ServiceWish(name: String(repeating: "a", count: 65), actions: ["write"], platforms: [], lifetime: nil),
        ServiceWish(name: "a", actions: [], platforms: [], lifetime: nil),
        ServiceWish(name: "a", actions: ["everything"], platforms: [], lifetime: nil),
        ServiceWish(name: "a", actions: ["write"], platforms: ["A/B"], lifetime: nil),
        ServiceWish(name: "a", actions: ["write"], platforms: [], lifetime: 0),
        ServiceWish(name: "a", actions: ["write"], platforms: [], lifetime: .max),
    ]) func aWishThatMakesNoSenseIsRefused(wish: ServiceWish) async throws {
        let house = try await House()
        let error = await #expect(throws: VaultError.self) { try await house.vault.createServiceKey(wish) }
        #expect(error?.code == .badRequest)
    }

    @Test func namesAreTakenOnce() async throws {
        let (house, key, _) = try await House.withKey()
        let error = await #expect(throws: VaultError.self) { try await house.serviceKey("job") }
        #expect(error?.code == .conflict)
        // 256 random bits and a checksum, in a form that scanners can look for.
        #expect(key.wholeMatch(of: /vlt_[0-9a-f]{88}/) != nil)
        _ = try await house.vault.revokeServiceKey("job")
        _ = try await house.serviceKey("job")
    }
}
