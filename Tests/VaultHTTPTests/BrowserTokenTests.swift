import HTTPTypes
import NIOCore
import Testing
import Vault
import VaultBase
import VaultProviders

@testable import VaultHTTP

/// `POST /auth/{platform}/browser-token`, at the platform `music` of the house.
@Suite struct BrowserTokenTests {
    private func begin(_ browser: Browser, session: String? = nil) async throws -> String {
        let start = try await browser.send(.post, "/auth/music/login", session: session)
        #expect(start.status == .ok)
        try OpenAPI.expect(start, is: "BrowserTokenStart")
        #expect(try start.json["authorizationUrl"] == nil)
        #expect(try start.json["clientToken"]?.string == "client-jwt")
        return try #require(try start.json["state"]?.string)
    }

    private func body(_ state: String, _ token: String = "user-token") -> String {
        "{\"state\":\"\(state)\",\"token\":\"\(token)\"}"
    }

    @Test func thePageHandsInItsTokenAndGetsASession() async throws {
        let house = try await House()
        try await house.visit { browser async throws in
            let state = try await begin(browser)
            let answer = try await browser.send(.post, "/auth/music/browser-token", json: body(state))
            #expect(answer.status == .ok, "\(answer.text)")
            try OpenAPI.expect(answer, is: "IssuedSession")
            #expect(answer.headers[.setCookie] == nil)
            let session = try #require(try answer.json["session"]?.string)
            #expect(house.provider.calls == ["profile"], "asked once whether it holds")

            let token = try await browser.send(.get, "/auth/music/token", session: session)
            try OpenAPI.expect(token, is: "Token")
            #expect(try token.json["accessToken"]?.string == "user-token")
            #expect(try token.json["clientToken"]?.string == "client-jwt")
            #expect(try token.json["expiresAt"] == nil)
            #expect(!house.log.all.contains { $0.contains("user-token") || $0.contains("client-jwt") })

            // The same again from the same browser; another token is another story.
            let again = try await browser.send(.post, "/auth/music/browser-token", json: body(state))
            #expect(again.status == .ok)
            try await browser.send(.post, "/auth/music/browser-token", json: body(state, "other"))
                .expectProblem("forbidden", 403)
        }
    }

    @Test func aSessionIsLinked() async throws {
        try await House().visit { browser async throws in
            let session = try await browser.session("acme")
            let state = try await begin(browser, session: session)
            let answer = try await browser.send(.post, "/auth/music/browser-token", json: body(state))
            let linked = try #require(try answer.json["session"]?.string)
            let me = try await browser.send(.get, "/auth/session", session: linked)
            #expect(try me.json["connections"]?.array?.count == 2)
        }
    }

    @Test func anotherBrowserAnotherOriginAndAFormAreRefused() async throws {
        let house = try await House()
        try await house.visit { browser async throws in
            let state = try await begin(browser)
            let path = "/auth/music/browser-token"
            let stranger = browser.stranger()
            try await stranger.send(.post, path, json: body(state)).expectProblem("forbidden", 403)
            _ = try await begin(stranger)
            try await stranger.send(.post, path, json: body(state)).expectProblem("forbidden", 403)
            try await browser.send(.post, path, json: body(state), headers: [.origin: "https://evil.example"])
                .expectProblem("forbidden", 403)
            try await browser.send(
                .post, path, headers: [.contentType: "application/x-www-form-urlencoded"],
                body: ByteBuffer(string: "state=\(state)&token=user-token")
            ).expectProblem("unsupported-media-type", 415)
            try await browser.send(.post, path, json: "{\"state\":\"\(state)\"}").expectProblem("bad-request", 400)
            try await browser.send(.post, path, json: body("unknown-state-of-43-characters-xxxxxxxxxxxxx"))
                .expectProblem("forbidden", 403)
            // The token never comes in a URL.
            try await browser.send(.get, "/auth/music/callback?state=\(state)&code=user-token")
                .expectProblem("forbidden", 403)
            #expect(house.provider.calls.isEmpty)
            #expect(try await browser.send(.post, path, json: body(state)).status == .ok)
        }
    }

    @Test func otherPlatformsHaveNoSuchThing() async throws {
        try await House().visit { browser async throws in
            let callback = try await browser.begin("acme")
            let state = String(callback.split(separator: "state=").last ?? "")
            try await browser.send(.post, "/auth/acme/browser-token", json: body(state))
                .expectProblem("not-found", 404)
            #expect(try await browser.send(.get, callback).status == .seeOther)
            try await browser.send(.post, "/auth/nothing/browser-token", json: body(state))
                .expectProblem("no-platform", 404)
        }
    }

    @Test(arguments: [
        (403, "restart-login", 409), (503, "retry", 503), (400, "operator", 502),
    ])
    func aTokenThatIsNotConfirmedIsAProblem(_ status: Int, _ code: String, _ answered: Int) async throws {
        let house = try await House()
        house.provider.answer { _, _ throws(ProviderFailure) in
            .json(status == 400 ? #"{"error":"invalid_client"}"# : #"{"error":"invalid_token"}"#, status: status)
        }
        try await house.visit { browser async throws in
            let state = try await begin(browser)
            try await browser.send(.post, "/auth/music/browser-token", json: body(state))
                .expectProblem(code, answered)
        }
    }

    @Test func aSessionInACookieIsNotShown() async throws {
        let house = try await House(delivery: .cookie)
        try await house.visit { browser async throws in
            let state = try await begin(browser)
            let answer = try await browser.send(.post, "/auth/music/browser-token", json: body(state))
            #expect(try answer.json["session"] == nil)
            #expect(answer.headers[.setCookie]?.contains("SameSite=Strict") == true)
            #expect(try await browser.send(.get, "/auth/session").status == .ok)
        }
    }
}
