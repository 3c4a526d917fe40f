import Testing
import VaultBase
import VaultProviders

@Suite struct DiscoveryTests {
    static let metadata =
        #""authorization_endpoint":"https://id.example/a","token_endpoint":"https://id.example/t","userinfo_endpoint":"https://id.example/u","revocation_endpoint":"https://id.example/r""#

    func engine(
        _ issuer: String = "https://id.example/realm", parameters: [String: String] = [:],
        insecureLoopback: Bool = false,
        _ change: (inout ProviderDescription) -> Void = { _ in }
    ) -> FlowEngine {
        FlowEngine(
            Fixture.platform(
                parameters: ["issuer": issuer].merging(parameters) { $1 }, insecureLoopback: insecureLoopback
            ) {
                $0.issuer = "{user.issuer}"
                $0.endpoints = .init()
                $0.discovery = .oidc
                $0.pkce = .supported
                $0.userParameters = ["issuer", "client-auth"]
                change(&$0)
            })
    }

    @Test(arguments: [
        (
            "https://id.example", ProviderDescription.Discovery.oidc,
            "https://id.example/.well-known/openid-configuration"
        ),
        ("https://id.example/realm", .oidc, "https://id.example/realm/.well-known/openid-configuration"),
        ("https://id.example/realm/", .oidc, "https://id.example/realm/.well-known/openid-configuration"),
        ("https://id.example/realm", .rfc8414, "https://id.example/.well-known/oauth-authorization-server/realm"),
        ("https://id.example:8443", .rfc8414, "https://id.example:8443/.well-known/oauth-authorization-server"),
    ])
    func looksInTheRightPlace(_ issuer: String, _ kind: ProviderDescription.Discovery, _ url: String) {
        #expect(engine(issuer) { $0.discovery = kind }.discoveryRequests.first?.url == url)
    }

    @Test(arguments: [
        ("https://id.example", "https://id.example/.well-known/oauth-authorization-server"),
        ("https://id.example/realm", "https://id.example/.well-known/oauth-authorization-server/realm"),
        ("https://id.example/realm/", "https://id.example/.well-known/oauth-authorization-server/realm"),
        ("https://id.example:8443/a/b", "https://id.example:8443/.well-known/oauth-authorization-server/a/b"),
    ])
    func wellKnownOfOAuthComesSecond(_ issuer: String, _ url: String) {
        #expect(engine(issuer).discoveryRequests.map(\.url).last == url)
        #expect(engine(issuer).discoveryRequests.count == 2)
        #expect(engine(issuer) { $0.discovery = .rfc8414 }.discoveryRequests.map(\.url) == [url])
    }

    @Test func asksOnlyWhenSomethingIsMissing() {
        #expect(Fixture.engine().discoveryRequests.isEmpty)
        #expect(Fixture.engine { $0.discovery = .oidc }.discoveryRequests.isEmpty)
        #expect(engine("http://127.0.0.1:1").discoveryRequests.isEmpty)
        #expect(engine("http://127.0.0.1:1", insecureLoopback: true).discoveryRequests.isEmpty == false)
    }

    @Test func takesItsEndpoints() async throws {
        let engine = engine()
        let platform = try engine.discovered(
            Fixture.answer(
                200,
                #"{"issuer":"https://id.example/realm",\#(Self.metadata),"authorization_response_iss_parameter_supported":true}"#
            ))
        let found = FlowEngine(platform)
        #expect(found.discoveryRequests.isEmpty)
        #expect(found.tokenEndpoint == "https://id.example/t")
        #expect(found.platform.provider.description.endpoints.revoke == "https://id.example/r")
        #expect(found.platform.provider.description.requiresIssuerParameter)
        #expect(found.hosts == ["id.example"])
        #expect(try await found.refreshRequest(refreshToken: Secret("r"), scope: "").header("Authorization") != nil)
        try platform.check()
    }

    @Test(arguments: [
        ("", ProviderDescription.ClientAuthentication.basic),
        (#","token_endpoint_auth_methods_supported":["client_secret_post"]"#, .post),
        (
            #","token_endpoint_auth_methods_supported":["private_key_jwt","client_secret_post","client_secret_basic"]"#,
            .basic
        ),
    ])
    func authenticatesAsTheServerCan(_ member: String, _ method: ProviderDescription.ClientAuthentication) throws {
        let found = try engine().discovered(
            Fixture.answer(200, #"{"issuer":"https://id.example/realm",\#(Self.metadata)\#(member)}"#))
        #expect(found.provider.description.clientAuthentication == method)
    }

    @Test func keepsWhatTheOperatorSaid() throws {
        let engine = engine(parameters: ["client-auth": "post"])
        let found = try engine.discovered(
            Fixture.answer(200, #"{"issuer":"https://id.example/realm",\#(Self.metadata)}"#))
        #expect(found.provider.description.clientAuthentication == .post)
    }

    @Test func sendsNoChallengeWhereOnlyPlainIsKnown() throws {
        let answer = Fixture.answer(
            200,
            #"{"issuer":"https://id.example/realm",\#(Self.metadata),"code_challenge_methods_supported":["plain"]}"#)
        #expect(try engine().discovered(answer).provider.description.pkce == .unsupported)
        #expect(throws: ProviderFailure.self) { try engine { $0.pkce = .required }.discovered(answer) }
    }

    @Test(arguments: [
        (200, #"{"issuer":"https://id.example/realm/",META}"#, FailureClass.operatorAction, "issuer-mismatch"),
        (200, #"{"issuer":"https://ID.example/realm",META}"#, .operatorAction, "issuer-mismatch"),
        (200, #"{META}"#, .operatorAction, "issuer-mismatch"),
        (200, #"{"issuer":"https://id.example/realm"}"#, .operatorAction, "discovery-no-authorization_endpoint"),
        (
            200, #"{"issuer":"https://id.example/realm",META,"token_endpoint":"http://id.example/t"}"#, .operatorAction,
            "discovery-token_endpoint"
        ),
        (
            200,
            #"{"issuer":"https://id.example/realm",META,"token_endpoint_auth_methods_supported":["private_key_jwt"]}"#,
            .operatorAction,
            "discovery-client-authentication"
        ),
        (404, "", .operatorAction, "discovery-http-404"), (302, "", .operatorAction, "discovery-http-302"),
        (503, "", .retry, "http-503"), (200, "<html>", .retry, "undecodable"), (200, "", .retry, "undecodable"),
    ])
    func refusesMetadataItCannotTrust(_ status: Int, _ body: String, _ expected: FailureClass, _ code: String) {
        let text = body.split(separator: "META", omittingEmptySubsequences: false).joined(separator: Self.metadata)
        let failure = #expect(throws: ProviderFailure.self) { try engine().discovered(Fixture.answer(status, text)) }
        #expect(failure?.failure == expected)
        #expect(failure?.code == code)
    }

    @Test func waitsUntilTheDateThatItIsTold() {
        struct Clock: WallClock { func now() -> Timestamp { Fixture.now } }
        let engine = FlowEngine(engine().platform, clock: Clock())
        let failure = #expect(throws: ProviderFailure.self) {
            try engine.discovered(Fixture.answer(503, "", [("Retry-After", "Fri, 15 Jan 2027 08:00:30 GMT")]))
        }
        #expect(failure?.retryAfter == .seconds(30))
    }

    @Test func staysWithinTheDescriptionsHosts() {
        let answer = Fixture.answer(200, #"{"issuer":"https://id.example/realm",\#(Self.metadata)}"#)
        let strict = engine { $0.hosts = ["id.example"] }
        #expect((try? strict.discovered(answer)) != nil)
        let elsewhere = Fixture.answer(
            200, #"{"issuer":"https://id.example/realm",\#(Self.metadata),"token_endpoint":"https://evil.example/t"}"#)
        #expect((try? strict.discovered(elsewhere)) == nil)
    }
}
