import Testing
import VaultBase
import VaultProviders

@Suite struct TokenTests {
    func read(
        _ body: String, status: Int = 200, type: String = "application/json", stage: FlowEngine.Stage = .refresh,
        _ change: (inout ProviderDescription) -> Void = { _ in }
    ) async throws -> TokenGrant {
        try await Fixture.engine(change).readTokens(
            Fixture.answer(status, body, [("content-type", type)]), stage: stage, now: Fixture.now)
    }

    @Test func readsAPlainAnswer() async throws {
        let grant = try await read(
            #"{"access_token":"at","token_type":"bearer","expires_in":3600,"refresh_token":"rt","scope":"a b","x":{"y":[]}}"#
        )
        #expect(
            grant
                == TokenGrant(
                    accessToken: Secret("at"), refreshToken: Secret("rt"), tokenType: "Bearer", scope: "a b",
                    expiresIn: 3600))
    }

    @Test(
        arguments: [
            ("3600", 3600), ("\"3600\"", 3600), ("3600.9", 3600), ("\"3.6e3\"", 3600), ("null", nil), ("\"\"", nil),
            ("0", 300), ("-1", 300), ("\"0\"", 300), ("\"soon\"", 300), ("true", 300), ("[]", 300), ("\"nan\"", 300),
            ("\"0x10\"", 300),
            ("1e308", 315_360_000), ("9223372036854775808", 315_360_000), ("1e999", 315_360_000), ("-1e999", 300),
            ("1", 1),
        ] as [(String, Int64?)])
    func readsAnyLifetimeAsASaneOne(_ json: String, _ seconds: Int64?) async throws {
        #expect(try await read(#"{"access_token":"at","expires_in":\#(json)}"#).expiresIn == seconds)
    }

    @Test func fallsBackOnTheDescriptionsLifetime() async throws {
        #expect(try await read(#"{"access_token":"at"}"#).expiresIn == nil)
        #expect(try await read(#"{"access_token":"at"}"#) { $0.response.defaultLifetime = 3600 }.expiresIn == 3600)
        #expect(
            try await read(#"{"access_token":"at","expires_in":0}"#) { $0.response.defaultLifetime = 60 }.expiresIn
                == 60)
        #expect(
            try await read(#"{"access_token":"at","expires_in":9}"#) { $0.response.neverExpires = true }.expiresIn
                == nil)
        let deezer = try await read("access_token=at&expires=0", type: "text/html") {
            $0.response.expiresIn = ["expires_in", "expires"]
            $0.response.zeroMeansNever = true
            $0.response.defaultLifetime = 60
        }
        #expect(deezer.expiresIn == nil)
    }

    @Test(
        arguments: [
            (#""a b""#, "a b"), (#""a,b""#, "a b"), (#""a, b""#, "a b"), (#"["a","b"]"#, "a b"), ("null", nil),
            (#""""#, nil), ("[]", nil),
            ("7", nil),
        ] as [(String, String?)])
    func readsScopeInEveryForm(_ json: String, _ scope: String?) async throws {
        #expect(try await read(#"{"access_token":"at","scope":\#(json)}"#).scope == scope)
    }

    @Test(
        arguments: [
            (#","refresh_token":"new""#, "new"), ("", nil), (#","refresh_token":null"#, nil),
            (#","refresh_token":"""#, nil),
        ] as [(String, String?)])
    func keepsTheOldRefreshTokenUnlessThereIsANewOne(_ member: String, _ token: String?) async throws {
        #expect(try await read(#"{"access_token":"at"\#(member)}"#).refreshToken == token.map { Secret($0) })
    }

    @Test(arguments: ["Bearer", "BEARER", "bearer"])
    func readsTokenTypesInAnyCase(_ type: String) async throws {
        #expect(try await read(#"{"access_token":"at","token_type":"\#(type)"}"#).tokenType == "Bearer")
        let oauth = try await read(#"{"access_token":"at","token_type":"\#(type)"}"#) {
            $0.apiAuthentication = .header(name: "Authorization", prefix: "OAuth ")
        }
        #expect(oauth.tokenType == "OAuth")
    }

    @Test(arguments: ["mac", "DPoP", "N_A", "Bearer x"])
    func usesNoTokenOfAnUnknownType(_ type: String) async throws {
        let failure = await #expect(throws: ProviderFailure.self) {
            try await read(#"{"access_token":"at","token_type":"\#(type)"}"#)
        }
        #expect(failure == ProviderFailure(failure: .operatorAction, code: "token-type", status: 200))
    }

    @Test func refusesTokensThatNoHeaderCarries() async {
        for token in [#"a\nb"#, "a b", "é", String(repeating: "x", count: 20000)] {
            await #expect(throws: ProviderFailure.self) { try await read(#"{"access_token":"\#(token)"}"#) }
        }
    }

    @Test func readsFormsAndOtherPlaces() async throws {
        let form = try await read(
            "access_token=at&scope=repo%2Cgist&token_type=bearer",
            type: "application/x-www-form-urlencoded; charset=utf-8")
        #expect(form.accessToken == Secret("at"))
        #expect(form.scope == "repo gist")
        let nested = try await read(#"{"session":{"key":"k","name":"n"}}"#) {
            $0.response.accessToken = ["session", "key"]
        }
        #expect(nested.accessToken == Secret("k"))
        let subject = try await read(#"{"access_token":"at","user_id":123456789012345678901}"#) {
            $0.accountID = .tokenResponse(["user_id"])
        }
        #expect(subject.subject == "123456789012345678901")
        #expect(
            try await read(#"{"access_token":"at","refresh_token_expires_in":"15811200"}"#).refreshExpiresIn
                == 15_811_200)
    }
}
