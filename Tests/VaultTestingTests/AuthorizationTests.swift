import HTTPTypes
import Testing
import VaultTesting

@Suite struct AuthorizationTests {
    @Test func theCallbackCarriesCodeStateAndIssuer() async throws {
        try await withSandbox { browser async throws in
            let answer = try await browser.consent()
            #expect(answer.status == 303)
            #expect(answer.headers[.location]?.hasPrefix(Browser.redirectURI + "?") == true)
            #expect(answer.parameters["state"] == "the-state")
            #expect(answer.parameters["iss"] == "http://127.0.0.1:8002")
            #expect(answer.parameters["code"]?.isEmpty == false)
        }
    }

    @Test(arguments: [
        ("code_challenge", nil, "invalid_request"), ("code_challenge", "short", "invalid_request"),
        ("code_challenge_method", nil, "invalid_request"), ("code_challenge_method", "plain", "invalid_request"),
        ("response_type", nil, "invalid_request"), ("response_type", "token", "unsupported_response_type"),
        ("scope", "profile everything", "invalid_scope"),
    ])
    func aWrongRequestIsToldToTheClient(name: String, value: String?, code: String) async throws {
        try await withSandbox { browser async throws in
            let answer = try await browser.authorize([name: value])
            #expect(answer.status == 303)
            #expect(answer.parameters["error"] == code)
            #expect(answer.parameters["state"] == "the-state")
            #expect(answer.parameters["iss"] == "http://127.0.0.1:8002")
        }
    }

    @Test(
        arguments: [
            ("client_id", "nobody"), ("redirect_uri", nil), ("redirect_uri", "http://127.0.0.1:8000/elsewhere"),
            ("redirect_uri", "http://127.0.0.1:8000/auth/sandbox/callback/"),
            ("redirect_uri", "http://127.0.0.1:8000/auth/sandbox/callback?more=1"),
            ("redirect_uri", "http://localhost:8000/auth/sandbox/callback"),
            ("redirect_uri", "http://127.0.0.1:8000@evil.example/auth/sandbox/callback"),
            ("redirect_uri", "http://127.0.0.1:99999/auth/sandbox/callback"),
            ("redirect_uri", "http://127.0.0.1.evil.example/auth/sandbox/callback"),
            ("redirect_uri", "https://127.0.0.1:8000/auth/sandbox/callback"),
        ] as [(String, String?)])
    func aWrongAddresseeGetsNothing(name: String, value: String?) async throws {
        try await withSandbox { browser async throws in
            let answer = try await browser.authorize([name: value])
            #expect(answer.status == 400)
            #expect(answer.headers[.location] == nil)
        }
    }

    @Test func aLoopbackAddressMayComeWithAnyPort() async throws {
        try await withSandbox { browser async throws in
            let uri = "http://127.0.0.1:45678/auth/sandbox/callback"
            #expect(try await browser.authorize(["redirect_uri": uri]).status == 200)
        }
    }

    @Test func anotherAddressIsComparedExactly() async throws {
        try await withSandbox({ $0.redirectURIs = ["https://app.example/callback"] }) { browser async throws in
            #expect(try await browser.authorize(["redirect_uri": "https://app.example/callback"]).status == 200)
            #expect(try await browser.authorize(["redirect_uri": "https://app.example:8443/callback"]).status == 400)
        }
    }

    @Test func aRepeatedParameterIsRefused() async throws {
        try await withSandbox { browser async throws in
            let query = Browser.form(Browser.request.map { ($0.key, $0.value) })
            #expect(try await browser.get("/authorize?\(query)&client_id=sandbox").status == 400)
            let answer = try await browser.get("/authorize?\(query)&scope=music")
            #expect(answer.parameters["error"] == "invalid_request")
        }
    }

    @Test func denyingIsToldToTheClient() async throws {
        try await withSandbox { browser async throws in
            let answer = try await browser.consent(decision: "deny")
            #expect(answer.parameters["error"] == "access_denied")
            #expect(answer.parameters["code"] == nil)
            #expect(browser.control.ledger.consents == 0)
        }
    }

    @Test func cancellingTheLoginIsToldToTheClient() async throws {
        try await withSandbox { browser async throws in
            let page = try await browser.authorize()
            let answer = try await browser.post("/authorize/login", [("request", page.request), ("cancel", "yes")])
            #expect(answer.parameters["error"] == "access_denied")
        }
    }

    @Test func anUntickedScopeIsNotGranted() async throws {
        try await withSandbox { browser async throws in
            let code = try await browser.code(scopes: [])
            #expect(try await browser.redeem(code).json["scope"] == "profile")
        }
    }

    @Test func aScopeThatWasNotAskedForIsNotGranted() async throws {
        try await withSandbox { browser async throws in
            let code = try await browser.code(scopes: ["music", "email", "offline_access"])
            #expect(try await browser.redeem(code).json["scope"] == "profile music")
        }
    }

    @Test func aConsentIsUsedOnce() async throws {
        try await withSandbox { browser async throws in
            let page = try await browser.authorize()
            _ = try await browser.post("/authorize/login", [("request", page.request), ("user", "ada")])
            let fields = [("request", page.request), ("decision", "allow")]
            #expect(try await browser.post("/authorize/consent", fields).status == 303)
            #expect(try await browser.post("/authorize/consent", fields).status == 400)
            #expect(browser.control.ledger.consents == 1)
        }
    }

    @Test func consentNeedsALoginFirst() async throws {
        try await withSandbox { browser async throws in
            let page = try await browser.authorize()
            let answer = try await browser.post(
                "/authorize/consent", [("request", page.request), ("decision", "allow")])
            #expect(answer.status == 400)
        }
    }

    @Test func aLoginEndsAfterTenMinutes() async throws {
        let clock = HandClock()
        try await withSandbox({ $0.clock = clock }) { browser async throws in
            let page = try await browser.authorize()
            clock.advance(.seconds(600))
            let answer = try await browser.post("/authorize/login", [("request", page.request), ("user", "ada")])
            #expect(answer.status == 400)
        }
    }

    @Test func whatSomebodyTypedIsNeverMarkup() async throws {
        try await withSandbox { browser async throws in
            let page = try await browser.authorize(["login_hint": #""><script>alert(1)</script>"#])
            #expect(!page.body.contains("<script"))
            let again = try await browser.post(
                "/authorize/login", [("request", page.request), ("name", "<script>alert(1)</script>")])
            #expect(again.status == 400)
            #expect(again.body.contains("aria-invalid"))
            #expect(!again.body.contains("<script"))
        }
    }

    @Test func thePagesAreClosedToEverythingForeign() async throws {
        try await withSandbox { browser async throws in
            let page = try await browser.authorize()
            let policy = try #require(page.headers[.contentSecurityPolicy])
            #expect(policy.contains("default-src 'none'"))
            #expect(policy.contains("frame-ancestors 'none'"))
            #expect(!policy.contains("unsafe"))
            #expect(page.headers[.cacheControl] == "no-store")
            #expect(!page.body.contains("style=\"") && !page.body.contains("<style") && !page.body.contains("onclick"))
        }
    }

    @Test func automaticConsentShowsNoPage() async throws {
        try await withSandbox { browser async throws in
            browser.control.autoApprove = "duke"
            let answer = try await browser.authorize()
            let issued = try await browser.redeem(try #require(answer.parameters["code"])).json
            let person = try await browser.userinfo(issued["access_token"] ?? "").json
            #expect(person == ["sub": "sandbox-duke", "name": "Duke Ellington", "email": "duke@sandbox.example"])
        }
    }

    @Test(arguments: [
        ("127.0.0.1:8002", true), ("localhost", true), ("[::1]:8002", true), ("evil.example", false),
        ("127.0.0.1.evil.example:80", false),
    ])
    func onlyThisMachinesNamesAreAnswered(authority: String, allowed: Bool) {
        #expect(LoopbackOnly.allows(authority) == allowed)
    }
}
