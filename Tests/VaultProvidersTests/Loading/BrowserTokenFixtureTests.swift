import Foundation
import Testing
import VaultBase

@testable import VaultProviders

/// The same list, as far as it is there, for platforms that give their token to the browser.
@Suite struct BrowserTokenFixtureTests {
    struct Signer: ClientTokenSigner {
        func token(at now: Timestamp) -> ClientToken { ClientToken(token: Secret("jwt"), expiresAt: now) }
    }

    func engine(_ id: String) async throws -> FlowEngine {
        let provider = try #require(
            try await PlatformTests.reports.value.compactMap(\.provider).first { $0.description.id == id })
        var platform = Platform(
            name: try PlatformName(id), provider: provider, clientID: "TEAM", clientSecret: Secret("pem"),
            redirectURI: "https://app.example/", parameters: ["key-id": "KEY", "issuer": "https://id.example"])
        platform.clientTokens = Signer()
        try platform.check()
        return FlowEngine(platform)
    }

    @Test(arguments: FixtureTests.fromBrowsers.sorted()) func asksWhetherATokenHolds(_ id: String) async throws {
        let engine = try await engine(id)
        let rule = try #require(engine.platform.provider.description.clientToken)
        #expect((rule.keyID, rule.issuer) == ("KEY", "TEAM"))
        let grant = try engine.grant(fromBrowser: Secret("mut"))
        #expect(grant.accessToken == Secret("mut") && grant.expiresIn == nil && grant.refreshToken == nil)
        let request = try #require(try await engine.validateRequest(accessToken: grant.accessToken))
        #expect(request.header("Authorization") == "Bearer jwt")
        #expect(request.header("Music-User-Token") == "mut")
        #expect(ConformanceRun.all(request).contains("pem") == false)
        #expect(try await engine.profileRequest(accessToken: grant.accessToken) == nil)
        #expect(try await engine.revocationRequests(accessToken: Secret("a"), refreshToken: nil).isEmpty)
        try await engine.readValidation(
            Fixture.answer(200, #"{"data":[{"id":"no","type":"storefronts"}]}"#), now: Fixture.now)
    }

    @Test(arguments: [
        (403, #"{"errors":[{"status":"403","code":"40300","title":"Forbidden"}]}"#, FailureClass.reconnect),
        (401, #"{"errors":[{"status":"401","code":"40100"}]}"#, .operatorAction),
        (403, "<html>Request blocked</html>", .retry), (500, "{}", .retry), (503, "", .retry),
        (429, #"{"errors":[{"status":"429","code":"42900"}]}"#, .retry),
        (500, #"{"errors":[{"status":"403","code":"40300"}]}"#, .retry),
        (200, #"{"errors":[{"status":"403","code":"40300","title":"Forbidden"}]}"#, .operatorAction),
        (200, "<html>Back soon</html>", .retry), (200, #"{"data":[{"id":"no","#, .retry), (200, "", .retry),
    ])
    func knowsWhatARefusalMeans(_ status: Int, _ body: String, _ expected: FailureClass) async throws {
        for id in FixtureTests.fromBrowsers {
            let engine = try await engine(id)
            let failure = await #expect(throws: ProviderFailure.self) {
                try await engine.readValidation(Fixture.answer(status, body), now: Fixture.now)
            }
            #expect(failure?.failure == expected, "\(id)")
        }
    }

    @Test(arguments: [#"{"errors":[{"status":"403","code":"40012","title":"Forbidden"}]}"#, ""])
    func everyRefusalOfApplesOwnEndsTheGrant(_ body: String) async throws {
        let engine = try await engine("apple-music")
        let failure = await #expect(throws: ProviderFailure.self) {
            try await engine.readValidation(Fixture.answer(403, body), now: Fixture.now)
        }
        #expect(failure?.failure == .reconnect)
    }

    @Test(arguments: ["7", "Fri, 15 Jan 2027 08:00:30 GMT"]) func waitsAsLongAsItIsTold(_ text: String) async throws {
        let engine = try await engine("apple-music")
        let failure = await #expect(throws: ProviderFailure.self) {
            try await engine.readValidation(
                Fixture.answer(429, "{}", [("Retry-After", text)]), now: Fixture.now)
        }
        #expect(failure?.retryAfter == .seconds(text == "7" ? 7 : 30))
    }

    @Test(arguments: ["", "a b", "line\nbreak", String(repeating: "x", count: 16385)])
    func takesNothingThatIsNoToken(_ text: String) async throws {
        let engine = try await engine("apple-music")
        let failure = #expect(throws: ProviderFailure.self) { try engine.grant(fromBrowser: Secret(text)) }
        #expect(failure?.failure == .restartLogin)
    }

    @Test func withoutAKeyNothingIsAsked() async throws {
        var platform = try await engine("apple-music").platform
        platform.clientTokens = nil
        let engine = FlowEngine(platform)
        await #expect(throws: VaultError.self) { try await engine.validateRequest(accessToken: Secret("mut")) }
        platform.parameters["key-id"] = nil
        platform.provider = try #require(
            try await PlatformTests.reports.value.compactMap(\.provider).first { $0.description.id == "apple-music" })
        #expect(throws: VaultError.self) { try platform.check() }
    }
}
