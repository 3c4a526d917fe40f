import HTTPTypes
import Testing
import VaultBase
import VaultProviders

@testable import VaultHTTP

@Suite struct FlowTests {
    @Test func aUserLogsInFetchesRefreshesDisconnectsAndLogsOut() async throws {
        let house = try await House()
        try await house.visit { browser async throws in
            let start = try await browser.send(.post, "/auth/acme/login", json: #"{"returnTo":"/library"}"#)
            #expect(start.status == .ok)
            try OpenAPI.expect(start, is: "LoginStart")
            #expect(try start.json["expiresAt"]?.string == "2026-09-21T14:23:20Z")
            let url = try #require(try start.json["authorizationUrl"]?.string)
            #expect(url.hasPrefix("https://acme.example/authorize?"))
            let query = try FormParameters.parse(String(url.split(separator: "?", maxSplits: 1)[1]))
            let state = try #require(query.first { $0.name == "state" }?.value)

            let back = try await browser.send(.get, "/auth/acme/callback?code=c&state=\(state)")
            #expect(back.status == .seeOther)
            #expect(back.headers[.location]?.hasPrefix("http://127.0.0.1:8000/library#session=") == true)
            #expect(try back.fragment["platform"] == "acme")
            #expect(back.headers[.cacheControl] == "no-store")
            #expect(back.headers[.referrerPolicy] == "no-referrer")
            let session = try #require(try back.fragment["session"])

            let token = try await browser.send(.get, "/auth/acme/token", session: session)
            try OpenAPI.expect(token, is: "Token")
            #expect(try token.json["tokenType"]?.string == "Bearer")
            #expect(try token.json["scope"]?.string == "read")
            #expect(try token.json["expiresAt"]?.string == "2026-09-21T15:13:20Z")
            let again = try await browser.send(.get, "/auth/acme/token", session: session)
            #expect(try again.json == token.json)

            let refreshed = try await browser.send(.post, "/auth/acme/refresh", session: session)
            try OpenAPI.expect(refreshed, is: "Token")
            #expect(try refreshed.json["accessToken"] != token.json["accessToken"])
            #expect(house.provider.calls == ["exchange", "profile", "refresh"])

            let me = try await browser.send(.get, "/auth/session", session: session)
            try OpenAPI.expect(me, is: "Session")
            let connection = try #require(try me.json["connections"]?[0])
            try OpenAPI.expect(connection, is: "Connection")
            #expect(connection["platform"]?.string == "acme")
            #expect(connection["displayName"]?.string == "Acme")
            #expect(connection["account"]?.string == "Ada")
            #expect(connection["health"]?.string == "healthy")

            let gone = try await browser.send(.delete, "/auth/acme", session: session)
            try OpenAPI.expect(gone, is: "Disconnection")
            #expect(try gone.json["deleted"]?.bool == true)
            #expect(try gone.json["revoked"]?.string == "yes")
            try await browser.send(.get, "/auth/acme/token", session: session).expectProblem("no-connection", 404)

            #expect(try await browser.send(.delete, "/auth/session", session: session).status == .noContent)
            try await browser.send(.get, "/auth/session", session: session).expectProblem("unauthorized", 401)
        }
    }

    @Test func theSameAccountFindsItsUserAndASessionLinksASecondPlatform() async throws {
        let house = try await House()
        try await house.visit { browser async throws in
            let session = try await browser.session("acme")
            let user = try await browser.send(.get, "/auth/session", session: session).json["user"]?.string
            let other = try await browser.stranger().session("acme")
            #expect(try await browser.send(.get, "/auth/session", session: other).json["user"]?.string == user)
            let linked = try #require(try await browser.login("formal", session: session)["session"])
            let me = try await browser.send(.get, "/auth/session", session: linked).json
            #expect(me["user"]?.string == user)
            #expect(me["connections"]?.array?.compactMap { $0["platform"]?.string } == ["acme", "formal"])
        }
    }

    @Test func aRenewedSessionReplacesTheOldOne() async throws {
        try await House().visit { browser async throws in
            let old = try await browser.session()
            let renewed = try await browser.send(.post, "/auth/session/refresh", session: old)
            try OpenAPI.expect(renewed, is: "IssuedSession")
            let new = try #require(try renewed.json["session"]?.string)
            #expect(try await browser.send(.get, "/auth/session", session: new).status == .ok)
            try await browser.send(.get, "/auth/session", session: old).expectProblem("unauthorized", 401)
        }
    }

    @Test func whatTheUserDeclinedComesBackAsItsCode() async throws {
        try await House().visit { browser async throws in
            let callback = try await browser.begin()
            let refused = callback.replacing("code=the-code", with: "error=access_denied&error_description=%3Cb%3E")
            let answer = try await browser.send(.get, refused)
            #expect(answer.status == .seeOther)
            #expect(answer.headers[.location]?.hasPrefix("http://127.0.0.1:8000/#error=") == true)
            #expect(try answer.fragment == ["error": "access_denied", "platform": "acme"])
        }
    }

    @Test(arguments: [
        // The provider's word, and what the frontend gets of it.
        (400, #"{"error":"invalid_grant"}"#, "reconnect", 409, nil),
        (401, #"{"error":"invalid_client"}"#, "operator", 502, nil),
        (429, "{}", "retry", 503, "7"),
        (503, "{}", "retry", 503, "7"),
    ])
    func aFailedRefreshSaysWhatToDo(
        _ status: Int, _ body: String, _ code: String, _ answered: Int, _ retryAfter: String?
    ) async throws {
        let house = try await House()
        try await house.visit { browser async throws in
            let session = try await browser.session()
            house.provider.answer { (stage, _) throws(ProviderFailure) in
                stage == "refresh" ? .json(body, status: status, headers: [("Retry-After", "7")]) : nil
            }
            let answer = try await browser.send(.post, "/auth/acme/refresh", session: session)
            try answer.expectProblem(code, answered)
            if let retryAfter { #expect(answer.headers[.retryAfter] == retryAfter) }
            let me = try await browser.send(.get, "/auth/session", session: session).json
            let health = me["connections"]?[0]?["health"]?.string
            #expect(health == ["reconnect": "reconnect", "operator": "operator", "retry": "healthy"][code])
        }
    }

    @Test func theRefreshTokenLeavesByNoEndpoint() async throws {
        let house = try await House()
        try await house.visit { browser async throws in
            let callback = try await browser.begin()
            let back = try await browser.send(.get, callback)
            let session = try #require(try back.fragment["session"])
            var seen = back.headers[.location] ?? ""
            for (method, path) in [
                (HTTPRequest.Method.get, "/auth/acme/token"), (.post, "/auth/acme/refresh"), (.get, "/auth/session"),
                (.get, "/auth/platforms"), (.post, "/auth/session/refresh"), (.delete, "/auth/acme"),
            ] {
                seen += try await browser.send(method, path, session: session).text
            }
            #expect(!seen.contains("refresh-"))
            #expect(!seen.contains("client-secret"))
        }
    }

    @Test func noSecretIsLogged() async throws {
        let house = try await House()
        try await house.visit { browser async throws in
            let callback = try await browser.begin()
            let session = try #require(try await browser.send(.get, callback).fragment["session"])
            _ = try await browser.send(.get, "/auth/acme/token?access_token=in-the-query", session: session)
            _ = try await browser.send(.post, "/auth/acme/refresh", session: session)
            _ = try await browser.send(.get, "/auth/acme/token", session: session + "x")
            _ = try await browser.send(.post, "/auth/acme/login", json: #"{"returnTo":"/in-the-body"}"#)
            let log = house.log.all.joined(separator: "\n")
            let state = try #require(callback.split(separator: "state=").last)
            let binding = try #require(browser.jar["vault-login"])
            for secret in [
                "the-code", String(state), binding, session, "access-", "refresh-", "client-secret", "in-the-query",
                "in-the-body",
            ] {
                #expect(!log.contains(secret), "\(secret)")
            }
            // The test would pass on an empty log, too.
            #expect(log.contains("/auth/{platform}/callback"))
            #expect(house.log.all.filter { $0.contains("info request ") }.count == 6)
        }
    }
}
