import Testing
import VaultBase
import VaultProviders

/// Hooks that do what a test says.
struct ClosureHooks: ProviderHooks {
    var change: @Sendable (inout ProviderRequest, HookContext) -> Void = { _, _ in }
    var rewrite: @Sendable (inout ProviderAnswer) -> Void = { _ in }

    func prepare(_ stage: FlowEngine.Stage, _ request: ProviderRequest, _ context: HookContext) async throws(VaultError)
        -> ProviderRequest
    {
        var request = request
        change(&request, context)
        return request
    }
    func parse(_ stage: FlowEngine.Stage, _ answer: ProviderAnswer, _ context: HookContext) async throws(VaultError)
        -> ProviderAnswer
    {
        var answer = answer
        rewrite(&answer)
        return answer
    }
}

@Suite struct HookTests {
    func engine(_ change: @escaping @Sendable (inout ProviderRequest, HookContext) -> Void) -> FlowEngine {
        Fixture.engine(hooks: ClosureHooks(change: change)) { $0.hasPrepareHook = true }
    }

    @Test func letsAHookSignARequest() async throws {
        let engine = engine { request, context in
            request.url += "?api_sig=1&who=\(context.clientID)"
            request.headers.append(("X-Signature", context.clientSecret == nil ? "no secret" : "secret"))
        }
        let request = try await engine.tokenRequest(code: "c", verifier: Secret("v"), scope: "")
        #expect(request.url == "https://acme.example/token?api_sig=1&who=client")
        #expect(request.header("X-Signature") == "no secret")
    }

    static let bad: [@Sendable (inout ProviderRequest) -> Void] = [
        { $0.url = "https://evil.example/token" }, { $0.url = "http://acme.example/token" }, { $0.url = "" },
        { $0.url = "https://acme.example/\r\nx" }, { $0.method = "CONNECT" }, { $0.method = "POST /" },
        { $0.headers.append(("X-A", "1\r\nHost: evil.example")) }, { $0.headers.append(("X A", "1")) },
        { $0.headers.append(("Host", "evil.example")) }, { $0.headers.append(("content-length", "0")) },
        { $0.headers = Array(repeating: ("X-A", "1"), count: 65) }, { $0.body = Array(repeating: 0x61, count: 65537) },
        { $0.body += Array("&redirect_uri=https://evil.example/".utf8) }, { $0.body = [] },
        { $0.url += "?code_verifier=x" }, { $0.body += Array("&code_verifier=x".utf8) }, { $0.url += "?state=x" },
    ]
    @Test(arguments: bad.indices) func refusesWhatAHookMayNotDo(_ index: Int) async {
        let error = await #expect(throws: VaultError.self) {
            try await engine { request, _ in Self.bad[index](&request) }.tokenRequest(
                code: "c", verifier: Secret("v"), scope: "")
        }
        #expect(error?.code == .plugin)
    }

    @Test(arguments: [
        "&state=x", "&redirect_uri=https://evil.example/", "&code_challenge=x", "&code_challenge_method=plain",
        "&nonce=x",
        "&response_type=token",
    ])
    func refusesToSendABrowserUnprotected(_ tail: String) async {
        await #expect(throws: VaultError.self) {
            try await engine { request, _ in request.url += tail }.authorizationURL(
                state: "s", challenge: "c", nonce: "n", scopes: [])
        }
    }

    @Test func letsAHookTranslateAnAnswer() async throws {
        let hooks = ClosureHooks(rewrite: { answer in
            answer.body = Array(#"{"access_token":"k"}"#.utf8)
            answer.status = 200
        })
        let engine = Fixture.engine(hooks: hooks) { $0.hasParseHook = true }
        let xml = #"<lfm status="ok"><session><key>k</key></session></lfm>"#
        #expect(
            try await engine.readTokens(Fixture.answer(200, xml), stage: .exchange, now: Fixture.now).accessToken
                == Secret("k"))
        // An outage stays one.
        let failure = await #expect(throws: ProviderFailure.self) {
            try await engine.readTokens(Fixture.answer(503, ""), stage: .refresh, now: Fixture.now)
        }
        #expect(failure?.failure == .retry)
    }
}
