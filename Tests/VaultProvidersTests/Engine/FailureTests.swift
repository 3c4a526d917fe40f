import Testing
import VaultBase
import VaultProviders

@Suite struct FailureTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var status: Int
        var body: String
        var refresh: FailureClass
        var exchange: FailureClass
        var code: String
        var testDescription: String { "\(status) \(body.prefix(40))" }
        init(_ status: Int, _ body: String, _ refresh: FailureClass, _ exchange: FailureClass, _ code: String) {
            self.status = status
            self.body = body
            self.refresh = refresh
            self.exchange = exchange
            self.code = code
        }
    }

    static let html = "<html><body>access_token= Bad Gateway</body></html>"
    static let cases: [Case] = [
        // The standard
        Case(400, #"{"error":"invalid_grant"}"#, .reconnect, .restartLogin, "invalid_grant"),
        Case(401, #"{"error":"invalid_grant"}"#, .reconnect, .restartLogin, "invalid_grant"),
        Case(
            400, #"{"error":"invalid_grant","error_description":"\u003cscript\u003e"}"#, .reconnect, .restartLogin,
            "invalid_grant"),
        Case(401, #"{"error":"invalid_client"}"#, .operatorAction, .operatorAction, "invalid_client"),
        Case(400, #"{"error":"unauthorized_client"}"#, .operatorAction, .operatorAction, "unauthorized_client"),
        Case(400, #"{"error":"unsupported_grant_type"}"#, .operatorAction, .operatorAction, "unsupported_grant_type"),
        Case(400, #"{"error":"invalid_scope"}"#, .operatorAction, .operatorAction, "invalid_scope"),
        Case(400, #"{"error":"invalid_request"}"#, .operatorAction, .operatorAction, "invalid_request"),
        Case(400, #"{"error":"something_new"}"#, .operatorAction, .operatorAction, "something_new"),
        // Outages, whatever they carry
        Case(500, #"{"error":"invalid_grant"}"#, .retry, .retry, "http-500"),
        Case(503, #"{"error":"invalid_grant"}"#, .retry, .retry, "http-503"),
        Case(502, html, .retry, .retry, "http-502"),
        Case(503, "", .retry, .retry, "http-503"),
        Case(429, #"{"error":"invalid_grant"}"#, .retry, .retry, "http-429"),
        Case(408, "", .retry, .retry, "http-408"),
        Case(425, "", .retry, .retry, "http-425"),
        Case(400, #"{"error":"temporarily_unavailable"}"#, .retry, .retry, "temporarily_unavailable"),
        Case(403, html, .retry, .retry, "undecodable"),
        Case(403, "", .retry, .retry, "http-403"),
        Case(400, html, .retry, .retry, "undecodable"),
        Case(401, html, .retry, .retry, "undecodable"),
        // 200 with something else
        Case(200, #"{"error":"invalid_grant"}"#, .reconnect, .restartLogin, "invalid_grant"),
        Case(200, #"{"error":"bad_verification_code"}"#, .reconnect, .restartLogin, "bad_verification_code"),
        Case(
            200, #"{"error":"incorrect_client_credentials"}"#, .operatorAction, .operatorAction,
            "incorrect_client_credentials"),
        Case(200, #"{"access_token":"at","error":"server_error"}"#, .retry, .retry, "server_error"),
        Case(200, #"{}"#, .operatorAction, .operatorAction, "no-access-token"),
        Case(200, #"{"access_token":null}"#, .operatorAction, .operatorAction, "no-access-token"),
        Case(200, #"{"access_token":"at""#, .retry, .retry, "undecodable"),
        Case(200, html, .retry, .retry, "undecodable"),
        Case(200, "wrong code", .retry, .retry, "undecodable"),
        Case(200, "", .retry, .retry, "undecodable"),
        Case(200, "[]", .retry, .retry, "undecodable"),
        // Platforms and servers as they are
        Case(403, #"{"error":"invalid_code"}"#, .reconnect, .restartLogin, "invalid_code"),
        Case(400, "", .reconnect, .restartLogin, "http-400"),
        Case(400, " \r\n", .reconnect, .restartLogin, "http-400"),
        Case(401, "", .operatorAction, .operatorAction, "http-401"),
        Case(404, html, .operatorAction, .operatorAction, "http-404"),
        Case(302, "", .operatorAction, .operatorAction, "http-302"),
        Case(
            401, #"{"code":401,"error":null,"error_code":"invalid_grant"}"#, .reconnect, .restartLogin, "invalid_grant"),
        Case(
            400, #"{"error":{"type":"OAuthException","message":"no","code":300}}"#, .operatorAction, .operatorAction,
            "300"),
        Case(200, #"{"error":9,"message":"Invalid session key"}"#, .operatorAction, .operatorAction, "9"),
        Case(429, #"{"error":"rate_limit_exceeded"}"#, .retry, .retry, "http-429"),
        Case(400, "error=bad_refresh_token&error_description=x", .reconnect, .restartLogin, "bad_refresh_token"),
    ]

    func failure(
        _ answer: ProviderAnswer, _ stage: FlowEngine.Stage, _ change: (inout ProviderDescription) -> Void = { _ in }
    ) async throws -> ProviderFailure {
        try #require(
            await #expect(throws: ProviderFailure.self) {
                try await Fixture.engine(change).readTokens(answer, stage: stage, now: Fixture.now)
            })
    }

    @Test(arguments: cases) func asksForTheRightThing(_ row: Case) async throws {
        let refresh = try await failure(Fixture.answer(row.status, row.body), .refresh)
        #expect(refresh == ProviderFailure(failure: row.refresh, code: row.code, status: row.status))
        let exchange = try await failure(Fixture.answer(row.status, row.body), .exchange)
        #expect(exchange == ProviderFailure(failure: row.exchange, code: row.code, status: row.status))
    }

    @Test(
        arguments: [
            ("120", nil, 120), ("0", nil, 0), ("99999999999999999999", nil, 86400), ("13749", nil, 13749),
            ("soon", nil, nil), ("-5", nil, nil),
            ("Fri, 15 Jan 2027 08:01:40 GMT", nil, 100), ("Fri, 15 Jan 2027 07:59:00 GMT", nil, 0),
            ("Fri, 15 Jan 2027 08:01:40 GMT", "Fri, 15 Jan 2027 08:01:00 GMT", 40), ("", nil, nil),
        ] as [(String, String?, Int64?)])
    func honoursRetryAfter(_ text: String, _ date: String?, _ seconds: Int64?) async throws {
        let headers = [("Retry-After", text)] + (date.map { [("Date", $0)] } ?? [])
        let failure = try await failure(Fixture.answer(503, "", headers), .refresh)
        #expect(failure.retryAfter == seconds.map { .seconds($0) })
    }

    @Test func putsTheDescriptionsRulesFirst() async throws {
        let twitch: (inout ProviderDescription) -> Void = {
            $0.errorRules = [
                .init(status: nil, path: ["message"], match: .contains("Invalid refresh token"), failure: .reconnect),
                .init(status: 200, path: [], match: .equals("wrong code"), failure: .restartLogin),
                .init(status: 503, path: ["error"], match: .equals("closed"), failure: .operatorAction),
            ]
        }
        let dead = Fixture.answer(401, #"{"status":401,"message":"Invalid refresh token","error":"Bad Request"}"#)
        #expect(
            try await failure(dead, .refresh, twitch)
                == ProviderFailure(failure: .reconnect, code: "Bad_Request", status: 401))
        let outage = Fixture.answer(502, #"{"message":"Invalid refresh token"}"#)
        #expect(try await failure(outage, .refresh, twitch).failure == .retry)
        #expect(try await failure(Fixture.answer(200, "wrong code"), .exchange, twitch).failure == .restartLogin)
        #expect(
            try await failure(Fixture.answer(503, #"{"error":"closed"}"#), .refresh, twitch).failure == .operatorAction)
    }

    @Test(arguments: [
        ("AADSTS70008", "AADSTS70008"), ("Invalid refresh token", "Invalid_refresh_token"), ("40300", "40300"),
        // What was sent, or reads like it.
        ("srt_3kQ9-xY7zLw2", "http-400"), ("0123456789abcdef", "http-400"), ("4f6e20a1b3", "http-400"),
        ("abcdefghijklmnopqrstuvwxyz", "http-400"), ("1795435695042", "http-400"),
    ])
    func repeatsNoTokenInPlaceOfACode(_ error: String, _ code: String) async throws {
        #expect(try await failure(Fixture.answer(400, #"{"error":"\#(error)"}"#), .refresh).code == code)
    }

    @Test func keepsOnlySafeCharactersOfACode() async throws {
        let words = String(repeating: "_word", count: 40)
        let answer = Fixture.answer(400, #"{"error":"in\r\nvalid<b>é\#(words)"}"#)
        #expect(try await failure(answer, .refresh).code == String("invalidb\(words)".prefix(64)))
    }

    @Test(
        arguments: [
            (200, "", nil), (200, #"{"error":"whatever"}"#, nil), (400, #"{"error":"invalid_token"}"#, nil),
            (503, #"{"error":"invalid_token"}"#, .retry), (429, "", .retry), (403, html, .retry),
            (400, #"{"error":"unsupported_token_type"}"#, .operatorAction),
            (401, #"{"error":"invalid_client"}"#, .operatorAction),
            (401, "", .operatorAction), (404, "", .operatorAction),
            (400, #"{"error":"invalid_grant"}"#, .operatorAction),
        ] as [(Int, String, FailureClass?)])
    func readsWhetherARevocationHappened(_ status: Int, _ body: String, _ expected: FailureClass?) async throws {
        let engine = Fixture.engine()
        for (text, seconds) in [("7", 7), ("Fri, 15 Jan 2027 08:00:30 GMT", 30)] {
            let answer = Fixture.answer(status, body, [("Retry-After", text)])
            guard let expected else {
                try await engine.readRevocation(answer, now: Fixture.now)
                continue
            }
            let failure = await #expect(throws: ProviderFailure.self) {
                try await engine.readRevocation(answer, now: Fixture.now)
            }
            #expect(failure?.failure == expected)
            #expect(failure?.retryAfter == (expected == .retry ? .seconds(seconds) : nil))
        }
    }

    @Test(
        arguments: [
            (200, #"{"user_id":"1"}"#, nil), (401, #"{"status":401,"message":"invalid access token"}"#, .reconnect),
            (401, "", .reconnect), (204, "", nil), (200, "{}", nil), (200, #"{"error":null,"errors":[]}"#, nil),
            (503, "", .retry), (429, "", .retry), (403, "<html>", .retry), (404, "", .operatorAction),
            (403, "", .retry),
            // What is no answer of the platform says nothing of the token, least of all that it holds.
            (200, "", .retry), (200, html, .retry), (200, "ok", .retry), (200, "[]", .retry), (200, "null", .retry),
            (200, #"{"user_id":"#, .retry), (200, #"{"error":"whatever"}"#, .operatorAction),
        ] as [(Int, String, FailureClass?)])
    func readsWhetherATokenStillHolds(_ status: Int, _ body: String, _ expected: FailureClass?) async throws {
        let engine = Fixture.engine { $0.endpoints.validate = "https://acme.example/validate" }
        #expect(try await engine.validateRequest(accessToken: Secret("at"))?.url == "https://acme.example/validate")
        let answer = Fixture.answer(status, body)
        guard let expected else { return try await engine.readValidation(answer, now: Fixture.now) }
        let failure = await #expect(throws: ProviderFailure.self) {
            try await engine.readValidation(answer, now: Fixture.now)
        }
        #expect(failure?.failure == expected)
    }
}
