import Foundation
import Testing
import VaultBase

@testable import VaultProviders

/// Each platform against answers as its documents show them (reference: the comments in `Plugins/`).
@Suite(.enabled(if: Workshop.hasSwift, "building the plugins needs swiftc"))
struct PlatformTests {
    static let reports = Task { await Workshop.load(try Workshop.plugins.get(), isolations.last ?? .inProcess) }

    func engine(_ id: String) async throws -> FlowEngine {
        let provider = try #require(
            try await Self.reports.value.compactMap(\.provider).first { $0.description.id == id })
        let platform = Platform(
            name: try PlatformName(id), provider: provider, clientID: "cl-1", clientSecret: Secret("s-1"),
            redirectURI: "https://app.example/auth/\(id)/callback")
        try platform.check()
        return FlowEngine(platform)
    }

    struct Login: Sendable, CustomTestStringConvertible {
        var id: String
        var tokens: String
        var profile: String?
        var subject: String
        var type = "Bearer"
        var seconds: Int64?
        var rotates = false
        var testDescription: String { id }
    }
    static let logins: [Login] = [
        Login(
            id: "spotify",
            tokens:
                #"{"access_token":"a","token_type":"Bearer","scope":"user-read-private","expires_in":3600,"refresh_token":"r"}"#,
            profile: #"{"account_id":"acc","id":"old","display_name":"Ada"}"#, subject: "acc", seconds: 3600),
        Login(
            id: "spotify", tokens: #"{"access_token":"a","token_type":"Bearer","expires_in":3600}"#,
            profile: #"{"id":"old"}"#, subject: "old", seconds: 3600),
        Login(
            id: "soundcloud", tokens: #"{"access_token":"a","expires_in":3599,"refresh_token":"r","scope":""}"#,
            profile: #"{"id":1,"urn":"soundcloud:users:1","username":"ada"}"#, subject: "soundcloud:users:1",
            type: "OAuth", seconds: 3599, rotates: true),
        Login(
            id: "tidal",
            tokens:
                #"{"access_token":"a","token_type":"Bearer","expires_in":86400,"refresh_token":"r","user_id":123456789}"#,
            profile: nil, subject: "123456789", seconds: 86400),
        Login(
            id: "discord",
            tokens:
                #"{"access_token":"a","token_type":"Bearer","expires_in":604800,"refresh_token":"r","scope":"identify connections"}"#,
            profile: #"{"id":"80351110224678912","username":"ada"}"#, subject: "80351110224678912", seconds: 604_800,
            rotates: true),
        Login(
            id: "twitch",
            tokens:
                #"{"access_token":"a","expires_in":14124,"refresh_token":"r","scope":["user:read:follows"],"token_type":"bearer"}"#,
            profile: #"{"data":[{"id":"141981764","display_name":"Ada"}]}"#, subject: "141981764", seconds: 14124),
        Login(
            id: "github", tokens: "access_token=a&scope=read%3Auser&token_type=bearer",
            profile: #"{"id":583231,"login":"ada"}"#, subject: "583231", rotates: true),
        Login(
            id: "amazon",
            tokens: #"{"access_token":"Atza|a","token_type":"bearer","expires_in":3600,"refresh_token":"Atzr|r"}"#,
            profile: #"{"user_id":"amzn1.account.K2"}"#, subject: "amzn1.account.K2", seconds: 3600),
        Login(
            id: "deezer", tokens: #"{"access_token":"a","expires":0}"#, profile: #"{"id":1234567,"name":"Ada"}"#,
            subject: "1234567"),
        Login(
            id: "mixcloud", tokens: #"{"access_token":"a"}"#, profile: #"{"key":"/ada/","name":"Ada"}"#,
            subject: "/ada/"),
        Login(
            id: "audius", tokens: #"{"access_token":"a","token_type":"Bearer","expires_in":3600,"refresh_token":"r"}"#,
            profile: #"{"data":{"id":"7eP5n","name":"Ada"}}"#, subject: "7eP5n", seconds: 3600, rotates: true),
        Login(
            id: "yandex",
            tokens: #"{"access_token":"a","token_type":"bearer","expires_in":31536000,"refresh_token":"r"}"#,
            profile: #"{"id":"1130000000","login":"ada"}"#, subject: "1130000000", type: "OAuth", seconds: 31_536_000),
        Login(
            id: "lastfm", tokens: #"{"session":{"subscriber":0,"name":"ada","key":"k"}}"#, profile: nil, subject: "ada"),
    ]

    @Test(arguments: logins) func logsIn(_ login: Login) async throws {
        let engine = try await engine(login.id)
        let scopes = engine.defaultScopes
        let url = try await engine.authorizationURL(state: "st", challenge: "ch", nonce: nil, scopes: scopes)
        #expect(url.hasPrefix(engine.platform.provider.description.endpoints.authorize + "?"))
        #expect(engine.usesPKCE == (Fixture.query(url)["code_challenge"] == "ch"))
        let request = try await engine.tokenRequest(
            code: "co", verifier: Secret("ve"), scope: scopes.joined(separator: " "), state: "st")
        #expect(HostPolicy(engine.platform).allows(request.url))

        let grant = try await engine.readTokens(Fixture.answer(200, login.tokens), stage: .exchange, now: Fixture.now)
        #expect(grant.tokenType == login.type)
        #expect(grant.expiresIn == login.seconds)
        #expect((try await engine.profileRequest(accessToken: grant.accessToken) == nil) == (login.profile == nil))
        let profile = login.profile.map { Fixture.answer(200, $0) }
        let account = try await engine.account(tokens: grant, profile: profile, nonce: nil, now: Fixture.now)
        #expect(account.subject == login.subject)
        #expect((engine.platform.provider.description.refresh == .singleUse) == login.rotates)
    }

    @Test(arguments: [
        (
            "spotify", 400, #"{"error":"invalid_grant","error_description":"Refresh token revoked"}"#,
            FailureClass.reconnect
        ),
        ("soundcloud", 400, #"{"error":"invalid_grant"}"#, .reconnect),
        ("soundcloud", 401, #"{"code":401,"error":null,"error_code":"invalid_grant"}"#, .reconnect),
        ("soundcloud", 403, "<html>Request blocked</html>", .retry),
        ("soundcloud", 429, #"{"error":"rate_limit_exceeded"}"#, .retry),
        (
            "youtube", 400, #"{"error":"invalid_grant","error_description":"Token has been expired or revoked."}"#,
            .reconnect
        ),
        ("google", 400, #"{"error":"admin_policy_enforced"}"#, .reconnect),
        ("google", 401, #"{"error":"deleted_client"}"#, .operatorAction),
        (
            "discord", 400, #"{"error":"invalid_request","error_description":"Invalid \"refresh_token\" in request."}"#,
            .reconnect
        ),
        ("twitch", 400, #"{"status":400,"message":"Invalid refresh token","error":"Bad Request"}"#, .reconnect),
        ("twitch", 401, #"{"status":401,"message":"Invalid refresh token"}"#, .reconnect),
        ("twitch", 403, #"{"status":403,"message":"invalid client secret"}"#, .operatorAction),
        ("github", 200, #"{"error":"bad_refresh_token"}"#, .reconnect),
        ("github", 200, #"{"error":"incorrect_client_credentials"}"#, .operatorAction),
        ("github", 200, "error=unverified_user_email", .restartLogin),
        ("amazon", 500, #"{"error":"ServerError"}"#, .retry),
        ("deezer", 200, "wrong code", .restartLogin),
        (
            "deezer", 200, #"{"error":{"type":"OAuthException","message":"Invalid OAuth access token.","code":300}}"#,
            .reconnect
        ),
        ("deezer", 200, #"{"error":{"type":"Exception","message":"Quota limit exceeded","code":4}}"#, .retry),
        ("mixcloud", 403, #"{"error":{"type":"RateLimitException","message":"Slow down"}}"#, .retry),
        ("mixcloud", 403, #"{"error":{"type":"OAuthException","message":"Invalid token"}}"#, .operatorAction),
        ("tidal", 400, #"{"status":400,"error":"invalid_grant","sub_status":11101}"#, .reconnect),
        ("lastfm", 200, #"{"error":9,"message":"Invalid session key"}"#, .reconnect),
        ("lastfm", 403, #"{"error":14}"#, .restartLogin),
        ("lastfm", 200, #"{"error":29,"message":"Rate limit exceeded"}"#, .retry),
        ("lastfm", 403, #"{"error":13}"#, .operatorAction),
        ("audius", 500, #"{"error":"server_error"}"#, .retry),
        ("yandex", 400, #"{"error":"invalid_grant"}"#, .reconnect),
    ])
    func knowsWhatAFailureAsksFor(_ id: String, _ status: Int, _ body: String, _ expected: FailureClass) async throws {
        let engine = try await engine(id)
        let failure = await #expect(throws: ProviderFailure.self) {
            try await engine.readTokens(Fixture.answer(status, body), stage: .refresh, now: Fixture.now)
        }
        #expect(failure?.failure == expected)
    }

    @Test func speaksEachPlatformsDialect() async throws {
        let deezer = try await engine("deezer").tokenRequest(code: "co", verifier: Secret("ve"), scope: "")
        #expect(deezer.method == "GET")
        #expect(deezer.query == ["app_id": "cl-1", "secret": "s-1", "code": "co", "output": "json"])

        let mixcloud = try await engine("mixcloud").tokenRequest(code: "co", verifier: nil, scope: "", state: "st")
        #expect(mixcloud.query["redirect_uri"] == "https://app.example/auth/mixcloud/callback?state=st")
        #expect(mixcloud.query["grant_type"] == nil)

        let audius = try await engine("audius").refreshRequest(refreshToken: Secret("r"), scope: "")
        #expect(audius.text == #"{"grant_type":"refresh_token","refresh_token":"r","client_id":"cl-1"}"#)

        let soundcloud = try await engine("soundcloud").refreshRequest(refreshToken: Secret("r"), scope: "")
        #expect(soundcloud.form["redirect_uri"] == "https://app.example/auth/soundcloud/callback")

        let tidal = try await engine("tidal").refreshRequest(refreshToken: Secret("r"), scope: "user.read")
        #expect(tidal.form["scope"] == "user.read")

        let twitch = try await engine("twitch")
        let twitchOut = try await twitch.revocationRequests(accessToken: Secret("a"), refreshToken: Secret("r"))
        // A refresh token would be answered like an access token that is gone: "revoked", and nothing is.
        #expect(twitchOut.map(\.form) == [["token": "a", "client_id": "cl-1"]])
        #expect(try await twitch.profileRequest(accessToken: Secret("a"))?.header("Client-Id") == "cl-1")
        #expect(
            try await twitch.validateRequest(accessToken: Secret("a"))?.url == "https://id.twitch.tv/oauth2/validate")

        let github = try await engine("github").revocationRequests(accessToken: Secret("a"), refreshToken: Secret("r"))
        #expect(github[0].url == "https://api.github.com/applications/cl-1/token")
        #expect(github[0].text == #"{"access_token":"a"}"#)
        try await engine("github").readRevocation(
            Fixture.answer(404, #"{"message":"Not Found","documentation_url":"https://docs.github.com/rest"}"#),
            now: Fixture.now)
        #expect(github[0].header("Authorization") == "Basic " + Base64.encode(Array("cl-1:s-1".utf8)))
    }

    @Test func mixcloudWaitsAsLongAsItIsTold() async throws {
        let engine = try await engine("mixcloud")
        let failure = await #expect(throws: ProviderFailure.self) {
            try await engine.readTokens(
                Fixture.answer(403, #"{"error":{"type":"RateLimitException"}}"#, [("Retry-After", "7")]),
                stage: .exchange, now: Fixture.now)
        }
        #expect(failure?.retryAfter == .seconds(7))
    }

    @Test func yandexRevokesWhatWasIssuedToADevice() async throws {
        let yandex = try await engine("yandex")
        var devices: Set<String> = []
        for _ in 0..<20 {
            let url = try await yandex.authorizationURL(state: "st", challenge: "ch", nonce: nil, scopes: [])
            let device = try #require(Fixture.query(url)["device_id"])
            // RFC 9562 §5.4: version 4.
            #expect(device.wholeMatch(of: /[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/) != nil)
            devices.insert(device)
        }
        #expect(devices.count == 20)
        let requests = try await yandex.revocationRequests(accessToken: Secret("a"), refreshToken: Secret("r"))
        #expect(requests.map(\.url) == ["https://oauth.yandex.com/revoke_token"])
        #expect(requests[0].form == ["access_token": "a", "client_id": "cl-1", "client_secret": "s-1"])
        #expect(requests[0].header("Authorization") == nil)
    }

    @Test func bandcampAsksForItsOwn() async throws {
        let request = try await engine("bandcamp").clientCredentialsRequest(scope: "")
        #expect(request.url == "https://bandcamp.com/oauth_token")
        #expect(request.form == ["grant_type": "client_credentials", "client_id": "cl-1", "client_secret": "s-1"])
    }

    /// The hook against md5sum, with lengths around the edges of MD5's blocks.
    @Test(arguments: [0, 1, 9, 10, 11, 17, 18, 19, 20, 80, 200]) func signsAsLastFMWants(_ length: Int) async throws {
        let token = "T" + String(repeating: "x", count: length)
        let request = try await engine("lastfm").tokenRequest(code: token, verifier: nil, scope: "", state: "st")
        let expected = try Workshop.output([
            "sh", "-c", "printf %s api_keycl-1methodauth.getSessiontoken\(token)s-1 | md5sum",
        ])
        #expect(request.query["api_sig"] == String(expected.text.prefix(32)))
        #expect(request.query["method"] == "auth.getSession")
        #expect(request.query["format"] == "json")
        #expect(!request.url.contains("s-1"))
        let url = try await engine("lastfm").authorizationURL(state: "st", challenge: nil, nonce: nil, scopes: [])
        #expect(
            url
                == "https://www.last.fm/api/auth/?api_key=cl-1&cb=https%3A%2F%2Fapp.example%2Fauth%2Flastfm%2Fcallback%3Fstate%3Dst"
        )
    }
}
