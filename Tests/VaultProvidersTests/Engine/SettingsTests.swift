import Testing
import VaultBase
import VaultProviders

@Suite struct SettingsTests {
    static func generic(_ parameters: [String: String], insecureLoopback: Bool = false) -> Platform {
        Fixture.platform(parameters: parameters, insecureLoopback: insecureLoopback) {
            $0.issuer = "{user.issuer}"
            $0.endpoints.authorize = "{user.authorize}"
            $0.endpoints.token = "{user.token}"
            $0.endpoints.profile = "{user.profile}"
            $0.endpoints.revoke = "{user.revoke}"
            $0.userParameters = [
                "issuer", "authorize", "token", "profile", "revoke", "account-id", "client-auth", "pkce",
            ]
        }
    }
    static let complete = ["authorize": "https://a.example/auth", "token": "https://t.example/token"]

    @Test func takesEndpointsFromTheOperator() async throws {
        let engine = FlowEngine(
            Self.generic(Self.complete.merging(["account-id": "data.id", "client-auth": "post"]) { a, _ in a }))
        try engine.platform.check()
        #expect(engine.issuer == "https://a.example")
        #expect(engine.tokenEndpoint == "https://t.example/token")
        #expect(engine.hosts == ["a.example", "t.example"])
        #expect(engine.platform.provider.description.accountID == .profile(["data", "id"]))
        #expect(try await engine.refreshRequest(refreshToken: Secret("r"), scope: "").form["client_secret"] == "s3cret")
        #expect(try await engine.revocationRequests(accessToken: Secret("a"), refreshToken: nil).isEmpty)
    }

    @Test func ignoresSettingsTheProviderDoesNotAskFor() {
        let engine = Fixture.engine(parameters: ["client-auth": "post", "token": "https://evil.example/"])
        #expect(engine.platform.provider.description.clientAuthentication == .basic)
        #expect(engine.tokenEndpoint == "https://acme.example/token")
    }

    @Test(
        arguments: [
            ([:], "authorize"), (["authorize": "https://a.example/"], "token"),
            (complete.merging(["token": "http://t.example/"]) { $1 }, "insecure-loopback"),
            (complete.merging(["token": "nonsense"]) { $1 }, "address"),
            (complete.merging(["client-auth": "both"]) { $1 }, "client-auth"),
            (complete.merging(["pkce": "plain"]) { $1 }, "pkce"),
        ] as [([String: String], String)])
    func namesTheSettingThatIsMissing(_ parameters: [String: String], _ setting: String) throws {
        let error = #expect(throws: VaultError.self) { try Self.generic(parameters).check() }
        #expect(error?.code == .settings)
        #expect(error?.hint?.contains(setting) == true)
    }

    @Test(arguments: [
        ("https://app.example/cb", true), ("http://127.0.0.1:8000/cb", true), ("http://[::1]/cb", true),
        ("http://localhost/cb", false), ("http://app.example/cb", false), ("", false),
        ("https://app.example/cb#f", false),
    ])
    func wantsASafeRedirectURI(_ uri: String, _ good: Bool) {
        #expect((try? Fixture.platform(redirectURI: uri).check()) != nil ? good : !good)
    }

    @Test(arguments: [
        ("http://127.0.0.1:9/token", true, true), ("http://[::1]:9/token", true, true),
        ("http://127.0.0.1:9/token", false, false),
        ("http://localhost:9/token", true, false), ("http://10.0.0.1/token", true, false),
        ("https://10.0.0.1/token", false, true),
    ])
    func allowsPlainHTTPToLoopbackLiteralsAlone(_ token: String, _ insecure: Bool, _ good: Bool) {
        let platform = Self.generic(Self.complete.merging(["token": token]) { $1 }, insecureLoopback: insecure)
        #expect(((try? platform.check()) != nil) == good)
        #expect(HostPolicy(platform).allows(token) == good)
    }

    @Test(arguments: [
        ("https://acme.example/x", true), ("https://ACME.example:8443/x", true), ("https://evil.example/", false),
        ("https://acme.example.evil.example/", false), ("https://acme.example@evil.example/", false),
        ("http://acme.example/", false),
        ("https://evil.example\\@acme.example/", false), ("file:///etc/passwd", false),
    ])
    func callsOnlyItsOwnHosts(_ url: String, _ good: Bool) {
        #expect(HostPolicy(Fixture.platform()).allows(url) == good)
    }

    @Test func keepsAListedHostListAsItIs() {
        let policy = HostPolicy(Fixture.platform { $0.hosts = ["api.acme.example"] })
        #expect(policy.allows("https://api.acme.example/"))
        #expect(!policy.allows("https://acme.example/token"))
    }

    @Test func resolvesOnlyOnce() {
        let platform = Fixture.platform(parameters: ["x": "{client_id}/../y"]) {
            $0.userParameters = ["x"]
            $0.endpoints.token = "https://acme.example/{user.x}/token"
        }
        let once = FlowEngine(platform).platform
        #expect(once.provider.description.endpoints.token == "https://acme.example/%7Bclient_id%7D%2F..%2Fy/token")
        #expect(FlowEngine(once).platform.provider.description == once.provider.description)
    }

    @Test func dropsTheSlashOnceWhereAnIssuerEndsInOne() {
        let engine = Fixture.engine(parameters: ["issuer": "https://id.example/"]) {
            $0.userParameters = ["issuer"]
            $0.issuer = "{user.issuer}"
            $0.endpoints.token = "{user.issuer}/token"
        }
        #expect(engine.issuer == "https://id.example/")
        #expect(engine.tokenEndpoint == "https://id.example/token")
    }
}
