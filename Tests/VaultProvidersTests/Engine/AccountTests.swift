import Testing
import VaultBase
import VaultProviders

@Suite struct AccountTests {
    let grant = TokenGrant(accessToken: Secret("at"))

    static func idToken(_ changes: [String: String?] = [:]) -> String {
        let now = Fixture.now.seconds
        var claims: [String: String] = [
            "iss": #""https://acme.example""#, "aud": #""client""#, "sub": #""u-1""#, "exp": "\(now + 300)",
            "iat": "\(now - 1)",
            "nonce": #""n-1""#, "name": #""Ada""#,
        ]
        for (name, value) in changes { claims[name] = value }
        let json = "{\(claims.map { "\"\($0.key)\":\($0.value)" }.joined(separator: ","))}"
        func part(_ text: String) -> String { Base64.encodeURL(Array(text.utf8)) }
        return "\(part(#"{"alg":"RS256"}"#)).\(part(json)).c2ln"
    }

    @Test func readsTheProfile() async throws {
        let engine = Fixture.engine {
            $0.accountID = .profile(["data", "0", "id"])
            $0.displayNamePath = ["data", "0", "name"]
        }
        let account = try await engine.account(
            tokens: grant, profile: Fixture.answer(200, #"{"data":[{"id":80351110224678912,"name":"A\u0007da"}]}"#),
            nonce: nil,
            now: Fixture.now)
        #expect(account == Account(subject: "80351110224678912", displayName: "Ada"))
    }

    @Test(arguments: [
        (200, #"{"name":"x"}"#, FailureClass.operatorAction), (200, #"{"id":""}"#, .operatorAction),
        (200, #"{"id":1.5}"#, .operatorAction),
        (401, #"{"error":"invalid_token"}"#, .restartLogin), (401, "", .restartLogin),
        (401, #"{"message":"no"}"#, .restartLogin),
        (403, #"{"error":{"status":403,"message":"User not registered"}}"#, .operatorAction), (403, "<html>", .retry),
        (500, "", .retry), (200, "<html>", .retry), (200, #"{"error":"server_error"}"#, .retry),
    ])
    func refusesAProfileWithoutAnAccount(_ status: Int, _ body: String, _ expected: FailureClass) async {
        let failure = await #expect(throws: ProviderFailure.self) {
            try await Fixture.engine().account(
                tokens: grant, profile: Fixture.answer(status, body), nonce: nil, now: Fixture.now)
        }
        #expect(failure?.failure == expected)
    }

    @Test func takesTheAccountFromTheTokenAnswerOrMintsOne() async throws {
        var tokens = grant
        tokens.subject = "7"
        let answered = Fixture.engine { $0.accountID = .tokenResponse(["user_id"]) }
        #expect(try await answered.account(tokens: tokens, profile: nil, nonce: nil, now: Fixture.now).subject == "7")
        let minted = Fixture.engine { $0.accountID = .minted }
        let one = try await minted.account(tokens: tokens, profile: nil, nonce: nil, now: Fixture.now).subject
        let two = try await minted.account(tokens: tokens, profile: nil, nonce: nil, now: Fixture.now).subject
        #expect(one != two && one.hasPrefix("minted-") && one.count == 39)
    }

    func account(_ token: String?, nonce: String? = "n-1", profile: ProviderAnswer? = nil) async throws -> Account {
        var tokens = grant
        tokens.idToken = token
        return try await Fixture.engine {
            $0.accountID = .idTokenSubject
            $0.issuerAliases = ["acme.example"]
        }.account(tokens: tokens, profile: profile, nonce: nonce, now: Fixture.now)
    }

    @Test func believesAGoodIDToken() async throws {
        #expect(try await account(Self.idToken()) == Account(subject: "u-1", displayName: "Ada"))
        #expect(try await account(Self.idToken(["aud": #"["client"]"#])).subject == "u-1")
        #expect(try await account(Self.idToken(["aud": #"["x","client"]"#, "azp": #""client""#])).subject == "u-1")
        #expect(try await account(Self.idToken(["iss": #""acme.example""#])).subject == "u-1")
        #expect(try await account(Self.idToken(), profile: Fixture.answer(200, #"{"sub":"u-1"}"#)).subject == "u-1")
        #expect(try await account(Self.idToken(["nonce": nil as String?]), nonce: nil).subject == "u-1")
    }

    static let bad: [([String: String?], String)] = [
        (["iss": #""https://acme.example/""#], "iss"), (["iss": nil], "iss"), (["aud": #""other""#], "aud"),
        (["aud": "[]"], "aud"),
        (["aud": nil], "aud"), (["aud": #"["client","x"]"#], "azp"), (["azp": #""x""#], "azp"),
        (["exp": "\(Fixture.now.seconds - 61)"], "exp"), (["exp": nil], "exp"), (["exp": #""later""#], "exp"),
        (["iat": "\(Fixture.now.seconds + 61)"], "iat"), (["iat": "1"], "iat"), (["iat": nil], "iat"),
        (["nonce": #""n-2""#], "nonce"),
        (["nonce": nil], "nonce"), (["sub": nil], "sub"), (["sub": "1"], "sub"), (["exp": "1e999"], "exp"),
    ]
    @Test(arguments: bad) func dropsTokensWithAWrongClaim(_ changes: [String: String?], _ claim: String) async {
        let failure = await #expect(throws: ProviderFailure.self) { try await account(Self.idToken(changes)) }
        #expect(failure == ProviderFailure(failure: .restartLogin, code: "id-token-\(claim)"))
    }

    @Test(arguments: ["", "a.b", "a.b.c.d", "!.!.!", "e30.e30", "e30.W10.x"])
    func dropsWhatIsNoIDToken(_ token: String) async {
        let failure = await #expect(throws: ProviderFailure.self) { try await account(token) }
        #expect(failure?.code == "id-token-form")
    }

    @Test func refusesAProfileOfSomebodyElse() async {
        let failure = await #expect(throws: ProviderFailure.self) {
            try await account(Self.idToken(), profile: Fixture.answer(200, #"{"sub":"u-2"}"#))
        }
        #expect(failure?.code == "subject-mismatch")
        await #expect(throws: ProviderFailure.self) { try await account(nil) }
    }
}
