import Foundation
import Testing
import VaultBase

@testable import VaultProviders

/// Every platform against the same list of answers, each in the platform's own form (reference: the comments in
/// `Plugins/`). What a platform has in no form of its own is tried in the plain one by the conformance kit.
@Suite(.enabled(if: Workshop.hasSwift, "building the plugins needs swiftc"))
struct FixtureTests {
    struct Fixtures: Sendable, CustomTestStringConvertible {
        var id: String
        /// A good answer of the token endpoint.
        var ok =
            #"{"access_token":"a1","token_type":"Bearer","expires_in":3600,"refresh_token":"r1","scope":"one two"}"#
        /// A success by its status alone, and what it asks for at an exchange.
        var okWithError = #"{"error":"invalid_request"}"#
        var okWithErrorIs = FailureClass.operatorAction
        /// A refresh with a new refresh token, and one without; nil where there are no refresh tokens.
        var rotated: String? = #"{"access_token":"a2","expires_in":"3600","refresh_token":"r2"}"#
        var kept: String? = #"{"access_token":"a3","expires_in":3600}"#
        var dead: (status: Int, body: String) = (400, #"{"error":"invalid_grant"}"#)
        /// Lifetimes that are none, at the member where this platform has them.
        var lifetime = "expires_in"
        /// Where a profile names the account, without the name; nil where no profile is asked for.
        var nobody: String? = #"{"country":"NO"}"#
        /// What says that a token was gone before it was revoked; nil where nothing is revoked.
        var gone: (status: Int, body: String)? = (400, #"{"error":"invalid_token"}"#)
        var testDescription: String { id }
    }

    private static let session = #"{"session":{"subscriber":0,"name":"ada","key":"a1"}}"#

    static let all: [Fixtures] = [
        Fixtures(
            id: "spotify", dead: (400, #"{"error":"invalid_grant","error_description":"Refresh token revoked"}"#),
            nobody: #"{"display_name":"Ada"}"#, gone: nil),
        Fixtures(
            id: "soundcloud", ok: #"{"access_token":"a1","expires_in":3599,"refresh_token":"r1","scope":""}"#,
            dead: (401, #"{"code":401,"error":null,"error_code":"invalid_grant"}"#),
            nobody: #"{"username":"ada"}"#, gone: (400, #"{"error":"invalid_token"}"#)),
        Fixtures(
            id: "youtube", dead: (400, #"{"error":"invalid_grant","error_description":"Bad Request"}"#), nobody: nil,
            gone: (400, #"{"error":"invalid_token","error_description":"Token expired or revoked"}"#)),
        Fixtures(id: "google", dead: (400, #"{"error":"invalid_grant"}"#), nobody: nil),
        Fixtures(
            id: "tidal",
            ok: #"{"access_token":"a1","token_type":"Bearer","expires_in":86400,"refresh_token":"r1","user_id":7}"#,
            dead: (400, #"{"status":400,"error":"invalid_grant","sub_status":11101}"#), nobody: nil, gone: nil),
        Fixtures(
            id: "deezer", ok: #"{"access_token":"a1","expires":3600}"#, okWithError: "wrong code",
            okWithErrorIs: .restartLogin, rotated: nil, kept: nil,
            dead: (200, #"{"error":{"type":"OAuthException","message":"Invalid token","code":300}}"#),
            lifetime: "expires", nobody: #"{"name":"Ada"}"#, gone: nil),
        Fixtures(
            id: "amazon",
            ok: #"{"access_token":"Atza|a","token_type":"bearer","expires_in":3600,"refresh_token":"Atzr|r"}"#,
            nobody: #"{"name":"Ada"}"#, gone: nil),
        Fixtures(
            id: "lastfm", ok: session, okWithError: #"{"error":14,"message":"Unauthorized Token"}"#,
            okWithErrorIs: .restartLogin, rotated: nil, kept: nil,
            dead: (200, #"{"error":9,"message":"Invalid session key"}"#), nobody: nil, gone: nil),
        Fixtures(
            id: "discord",
            dead: (400, #"{"error":"invalid_request","error_description":"Invalid \"refresh_token\" in request."}"#),
            nobody: #"{"username":"ada"}"#),
        Fixtures(
            id: "twitch",
            ok:
                #"{"access_token":"a1","expires_in":14124,"refresh_token":"r1","scope":["user:read:follows"],"token_type":"bearer"}"#,
            okWithError: #"{"status":400,"message":"Invalid authorization code"}"#, okWithErrorIs: .restartLogin,
            dead: (401, #"{"status":401,"message":"Invalid refresh token"}"#), nobody: #"{"data":[]}"#,
            gone: (400, #"{"status":400,"message":"Invalid token"}"#)),
        Fixtures(
            id: "mixcloud", ok: #"{"access_token":"a1"}"#,
            okWithError: #"{"error":{"type":"OAuthException","message":"Invalid code"}}"#, rotated: nil, kept: nil,
            dead: (400, #"{"error":"invalid_grant"}"#), nobody: #"{"name":"Ada"}"#, gone: nil),
        Fixtures(id: "audius", nobody: #"{"data":{"name":"Ada"}}"#),
        Fixtures(id: "yandex", nobody: #"{"login":"ada"}"#),
        Fixtures(
            id: "github", ok: "access_token=a1&scope=read%3Auser%2Cuser%3Aemail&token_type=bearer",
            okWithError: "error=bad_verification_code&error_description=The+code+passed+is+incorrect",
            okWithErrorIs: .restartLogin,
            rotated:
                #"{"access_token":"a2","expires_in":"28800","refresh_token":"r2","refresh_token_expires_in":"15811200"}"#,
            kept: "access_token=a3&token_type=bearer", dead: (200, "error=bad_refresh_token"),
            nobody: #"{"login":"ada"}"#),
        Fixtures(id: "oidc", nobody: nil),
        Fixtures(id: "oauth2", nobody: #"{"name":"Ada"}"#),
        Fixtures(id: "sandbox", nobody: #"{"name":"Ada"}"#),
        Fixtures(
            id: "bandcamp",
            ok: #"{"ok":true,"token_type":"bearer","expires_in":3600,"access_token":"a1","refresh_token":"r1"}"#,
            rotated: nil, kept: nil, dead: (401, #"{"error":"invalid_client"}"#), nobody: nil, gone: nil),
    ]
    /// Those whose token a browser hands in have no token endpoint: ``BrowserTokenFixtureTests``.
    static let fromBrowsers: Set = ["apple-music", "sandbox-music"]

    @Test func everyPlatformHasItsFixtures() async throws {
        let ids = try await PlatformTests.reports.value.compactMap(\.provider).map(\.description.id)
        #expect(Set(ids) == Set(Self.all.map(\.id)).union(Self.fromBrowsers))
    }

    func engine(_ id: String) async throws -> FlowEngine {
        let provider = try #require(
            try await PlatformTests.reports.value.compactMap(\.provider).first { $0.description.id == id })
        var platform = Platform(
            name: try PlatformName(id), provider: provider, clientID: "cl-1", clientSecret: Secret("s-1"),
            redirectURI: "https://app.example/auth/\(id)/callback")
        for name in provider.description.userParameters where name != "account-id" {
            platform.parameters[name] = name == "issuer" ? "https://id.example" : "https://id.example/\(name)"
        }
        for word in ["client-auth", "pkce", "refresh-rule", "display-name-path", "scope-separator"] {
            platform.parameters[word] = nil
        }
        return try #require(ConformanceRun(provider, again: nil).engine(platform))
    }

    private func failure(
        _ engine: FlowEngine, _ status: Int, _ body: String, _ stage: FlowEngine.Stage = .refresh,
        _ headers: [(name: String, value: String)] = []
    ) async -> ProviderFailure? {
        do throws(ProviderFailure) {
            _ = try await engine.readTokens(Fixture.answer(status, body, headers), stage: stage, now: Fixture.now)
            return nil
        } catch { return error }
    }

    @Test(arguments: all) func anExchangeSucceedsOrFails(_ fixtures: Fixtures) async throws {
        let engine = try await engine(fixtures.id)
        let grant = try await engine.readTokens(
            Fixture.answer(200, fixtures.ok), stage: .exchange, now: Fixture.now)
        #expect(!grant.accessToken.isEmpty)
        #expect(await failure(engine, 200, fixtures.okWithError, .exchange)?.failure == fixtures.okWithErrorIs)
        #expect(await failure(engine, 200, fixtures.okWithError) != nil)
        let half = String(fixtures.ok.prefix(fixtures.ok.count / 2))
        if fixtures.ok.hasPrefix("{") { #expect(await failure(engine, 200, half, .exchange)?.failure == .retry) }
    }

    @Test(arguments: all) func aRefreshRotatesKeepsOrEnds(_ fixtures: Fixtures) async throws {
        let engine = try await engine(fixtures.id)
        if let rotated = fixtures.rotated, let kept = fixtures.kept {
            let first = try await engine.readTokens(Fixture.answer(200, rotated), stage: .refresh, now: Fixture.now)
            #expect(first.refreshToken == Secret("r2"))
            let second = try await engine.readTokens(Fixture.answer(200, kept), stage: .refresh, now: Fixture.now)
            #expect(second.refreshToken == nil)
        } else {
            #expect(engine.platform.provider.description.refresh == .none)
        }
        let own = engine.platform.provider.description.flow == .clientCredentials
        let dead = await failure(engine, fixtures.dead.status, fixtures.dead.body)
        #expect(dead?.failure == (own ? .operatorAction : .reconnect))
    }

    @Test(arguments: all) func anOutageEndsNothing(_ fixtures: Fixtures) async throws {
        let engine = try await engine(fixtures.id)
        for (text, seconds) in [("7", 7), ("Fri, 15 Jan 2027 08:00:30 GMT", 30)] {
            let limited = await failure(engine, 429, "{}", .refresh, [("Retry-After", text)])
            #expect(limited?.failure == .retry && limited?.retryAfter == .seconds(seconds))
        }
        #expect(await failure(engine, 403, "<html>Request blocked</html>")?.failure == .retry)
        #expect(await failure(engine, 500, "{}")?.failure == .retry)
        #expect(await failure(engine, 500, fixtures.dead.body)?.failure == .retry)
        #expect(await failure(engine, 200, String(fixtures.ok.prefix(9)))?.failure == .retry)
    }

    @Test(arguments: all) func oddLifetimesAndScopesDoNoHarm(_ fixtures: Fixtures) async throws {
        let engine = try await engine(fixtures.id)
        let rules = engine.platform.provider.description.response
        guard rules.accessToken == ["access_token"] else { return }
        for value in [#""3600""#, "0", "-1", #""soon""#, "1e99", "null", "true"] {
            let body = "{\"access_token\":\"a\",\"\(fixtures.lifetime)\":\(value)}"
            let grant = try await engine.readTokens(Fixture.answer(200, body), stage: .refresh, now: Fixture.now)
            #expect(grant.expiresIn.map { $0 > 0 && $0 <= FlowEngine.longestLifetime } ?? true, "\(value)")
            if value == #""3600""#, !rules.neverExpires { #expect(grant.expiresIn == 3600) }
        }
        for (value, scope) in [
            (#""one two""#, "one two"), (#""one,two""#, "one two"), (#"["one","two"]"#, "one two"), ("null", nil),
            ("7", nil), (#""""#, nil),
        ] {
            let body = "{\"access_token\":\"a\",\"scope\":\(value)}"
            let grant = try await engine.readTokens(Fixture.answer(200, body), stage: .refresh, now: Fixture.now)
            #expect(grant.scope == scope, "\(value)")
        }
    }

    @Test(arguments: all) func aProfileWithoutAnIDIsNobody(_ fixtures: Fixtures) async throws {
        let engine = try await engine(fixtures.id)
        let tokens = TokenGrant(accessToken: Secret("a"))
        let asks = try await engine.profileRequest(accessToken: Secret("a")) != nil
        #expect(asks == (fixtures.nobody != nil))
        guard engine.platform.provider.description.accountID != .minted else { return }
        let profile = fixtures.nobody.map { Fixture.answer(200, $0) }
        let error = await #expect(throws: ProviderFailure.self) {
            try await engine.account(tokens: tokens, profile: profile, nonce: nil, now: Fixture.now)
        }
        #expect(error?.code == "no-account-id")
    }

    @Test(arguments: all) func aRevocationIsDoneGoneOrPutOff(_ fixtures: Fixtures) async throws {
        let engine = try await engine(fixtures.id)
        let requests = try await engine.revocationRequests(accessToken: Secret("a"), refreshToken: Secret("r"))
        #expect(requests.isEmpty == (fixtures.gone == nil))
        guard let gone = fixtures.gone, let done = engine.platform.provider.description.revocation.okStatuses.first
        else { return }
        try await engine.readRevocation(Fixture.answer(done, "{}"), now: Fixture.now)
        try await engine.readRevocation(Fixture.answer(gone.status, gone.body), now: Fixture.now)
        for (status, class_) in [(503, FailureClass.retry), (401, .operatorAction)] {
            let error = await #expect(throws: ProviderFailure.self) {
                try await engine.readRevocation(Fixture.answer(status, "{}"), now: Fixture.now)
            }
            #expect(error?.failure == class_)
        }
    }
}
