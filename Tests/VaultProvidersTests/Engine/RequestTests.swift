import Testing
import VaultBase
import VaultProviders

@Suite struct RequestTests {
    @Test func sendsABrowserWithEveryProtection() async throws {
        let engine = Fixture.engine {
            $0.authorizeParameters = ["prompt": "consent", "state": "evil", "client_id": "evil"]
        }
        let url = try await engine.authorizationURL(
            state: "st", challenge: "ch", nonce: "no", scopes: ["profile", "a b"])
        #expect(url.hasPrefix("https://acme.example/authorize?response_type=code&client_id=client&"))
        #expect(!url.contains("+"))
        #expect(
            Fixture.query(url) == [
                "response_type": "code", "client_id": "client", "state": "st", "code_challenge": "ch",
                "code_challenge_method": "S256", "nonce": "no", "scope": "profile a b", "prompt": "consent",
                "redirect_uri": "https://app.example/auth/acme/callback",
            ])
    }

    @Test func neverFallsBackFromPKCE() async throws {
        await #expect(throws: VaultError.self) {
            try await Fixture.engine().authorizationURL(state: "s", challenge: nil, nonce: nil, scopes: [])
        }
        let without = Fixture.engine { $0.pkce = .unsupported }
        let url = try await without.authorizationURL(state: "s", challenge: "c", nonce: nil, scopes: [])
        #expect(Fixture.query(url)["code_challenge"] == nil)
        #expect(
            try await without.tokenRequest(code: "c", verifier: Secret("v"), scope: "").form["code_verifier"] == nil)
    }

    @Test(arguments: [
        (ProviderDescription.StateCarrier.redirectQuery, "https://app.example/auth/acme/callback?state=st%2B"),
        (.redirectPath, "https://app.example/auth/acme/callback/st%2B"),
    ])
    func carriesTheStateInTheRedirect(_ carrier: ProviderDescription.StateCarrier, _ expected: String) async throws {
        let engine = Fixture.engine { $0.stateCarrier = carrier }
        let url = try await engine.authorizationURL(state: "st+", challenge: "c", nonce: nil, scopes: [])
        #expect(Fixture.query(url)["redirect_uri"] == expected)
        #expect(Fixture.query(url)["state"] == nil)
        let request = try await engine.tokenRequest(code: "c", verifier: Secret("v"), scope: "", state: "st+")
        #expect(request.form["redirect_uri"] == expected)
    }

    @Test func redeemsACodeWithBasicAlone() async throws {
        let request = try await Fixture.engine(secret: "p:w %é").tokenRequest(
            code: "co de", verifier: Secret("ver"), scope: "x")
        #expect(request.method == "POST")
        #expect(request.url == "https://acme.example/token")
        #expect(request.header("Content-Type") == "application/x-www-form-urlencoded")
        #expect(request.header("Accept") == "application/json")
        #expect(request.header("Authorization") == "Basic " + Base64.encode(Array("client:p%3Aw+%25%C3%A9".utf8)))
        #expect(
            request.form == [
                "grant_type": "authorization_code", "code": "co de", "code_verifier": "ver",
                "redirect_uri": "https://app.example/auth/acme/callback",
            ])
    }

    @Test(
        arguments: [
            (
                ProviderDescription.ClientAuthentication.post, "s3cret",
                ["client_id": "client", "client_secret": "s3cret"]
            ),
            (.none, "s3cret", ["client_id": "client"]), (.basic, nil, ["client_id": "client"]),
            (.post, "", ["client_id": "client"]),
        ] as [(ProviderDescription.ClientAuthentication, String?, [String: String])])
    func authenticatesInExactlyOneWay(
        _ method: ProviderDescription.ClientAuthentication, _ secret: String?, _ expected: [String: String]
    ) async throws {
        let request = try await Fixture.engine(secret: secret) { $0.clientAuthentication = method }.refreshRequest(
            refreshToken: Secret("rt"), scope: "a")
        #expect(request.header("Authorization") == nil)
        #expect(
            request.form == expected.merging(["grant_type": "refresh_token", "refresh_token": "rt"]) { a, _ in a })
    }

    @Test func refreshesWhereAndAsTheDescriptionSays() async throws {
        let engine = Fixture.engine {
            $0.endpoints.refresh = "https://acme.example/renew"
            $0.refreshParameters = ["redirect_uri": "{redirect_uri}"]
            $0.sendsScopeOnTokenRequests = true
            $0.scopeSeparator = ","
        }
        let request = try await engine.refreshRequest(refreshToken: Secret("rt"), scope: "a b")
        #expect(request.url == "https://acme.example/renew")
        #expect(request.form["redirect_uri"] == "https://app.example/auth/acme/callback")
        #expect(request.form["scope"] == "a,b")
    }

    @Test func givesParametersTheirOtherNamesOrNone() async throws {
        let engine = Fixture.engine {
            $0.clientAuthentication = .post
            $0.names = [
                "client_id": "app_id", "token.client_secret": "secret", "grant_type": "", "authorize.scope": "perms",
            ]
            $0.requests["token"] = .init()
            $0.requests["token"]?.method = "GET"
        }
        let url = try await engine.authorizationURL(state: "s", challenge: "c", nonce: nil, scopes: ["a"])
        #expect(Fixture.query(url)["app_id"] == "client")
        #expect(Fixture.query(url)["perms"] == "a")
        let request = try await engine.tokenRequest(code: "c", verifier: nil, scope: "")
        #expect(request.method == "GET")
        #expect(request.body.isEmpty)
        #expect(request.query["secret"] == "s3cret")
        #expect(request.query["grant_type"] == nil)
    }

    @Test func speaksJSONWhereAsked() async throws {
        let engine = Fixture.engine {
            $0.clientAuthentication = .none
            for stage in ["token", "refresh", "revoke"] {
                $0.requests[stage] = .init(); $0.requests[stage]?.encoding = .json
            }
        }
        let request = try await engine.refreshRequest(refreshToken: Secret("r\"t"), scope: "")
        #expect(request.header("Content-Type") == "application/json")
        #expect(JSONValue(request.body)?.at(["refresh_token"]) == .string("r\"t"))
    }

    @Test func asksForTheProfileTheWayTheAPIWants() async throws {
        let engine = Fixture.engine {
            $0.apiAuthentication = .header(name: "Authorization", prefix: "OAuth ")
            $0.apiHeaders = ["Client-Id": "{client_id}"]
        }
        let request = try #require(try await engine.profileRequest(accessToken: Secret("at")))
        #expect(request.method == "GET")
        #expect(request.header("Authorization") == "OAuth at")
        #expect(request.header("Client-Id") == "client")
        let inQuery = Fixture.engine { $0.apiAuthentication = .query(name: "access_token") }
        #expect(
            try await inQuery.profileRequest(accessToken: Secret("a|t"))?.url
                == "https://acme.example/me?access_token=a%7Ct")
        #expect(
            try await Fixture.engine { $0.accountID = .idTokenSubject }.profileRequest(accessToken: Secret("at")) == nil
        )
    }

    @Test func revokesTheRefreshTokenFirst() async throws {
        func tokens(_ which: ProviderDescription.Revocation.Which, _ refresh: String?) async throws -> [String?] {
            try await Fixture.engine { $0.revocation.which = which }.revocationRequests(
                accessToken: Secret("at"), refreshToken: refresh.map { Secret($0) }
            ).map { $0.form["token"] }
        }
        #expect(try await tokens(.refresh, "rt") == ["rt"])
        #expect(try await tokens(.refresh, nil) == ["at"])
        #expect(try await tokens(.access, "rt") == ["at"])
        #expect(try await tokens(.both, "rt") == ["rt", "at"])
        #expect(try await tokens(.both, nil) == ["at"])
        let none = Fixture.engine { $0.endpoints.revoke = "" }
        #expect(try await none.revocationRequests(accessToken: Secret("at"), refreshToken: nil).isEmpty)
    }

    @Test func revokesInOtherShapesToo() async throws {
        let github = Fixture.engine {
            $0.endpoints.revoke = "https://acme.example/applications/{client_id}/token"
            $0.revocation = .init()
            $0.revocation.tokenParameter = "access_token"
            $0.requests["revoke"] = .init()
            $0.requests["revoke"]?.method = "DELETE"
            $0.requests["revoke"]?.encoding = .json
        }
        let request = try await github.revocationRequests(accessToken: Secret("at"), refreshToken: nil)[0]
        #expect(request.method == "DELETE")
        #expect(request.url == "https://acme.example/applications/client/token")
        #expect(request.text == #"{"access_token":"at"}"#)
        #expect(request.header("Authorization")?.hasPrefix("Basic ") == true)

        let signOut = Fixture.engine {
            $0.revocation.tokenParameter = ""
            $0.requests["revoke"] = .init()
            $0.requests["revoke"]?.encoding = ProviderDescription.RequestShape.Encoding.none
            $0.requests["revoke"]?.authentication = .accessToken
        }
        let out = try await signOut.revocationRequests(accessToken: Secret("at"), refreshToken: Secret("rt"))[0]
        #expect(out.header("Authorization") == "Bearer at")
        #expect(out.body.isEmpty)
    }

    @Test func printsNoSecret() async throws {
        let request = try await Fixture.engine().refreshRequest(refreshToken: Secret("tell-nobody"), scope: "")
        var dumped = ""
        dump(request, to: &dumped)
        dump(Fixture.answer(200, "tell-nobody"), to: &dumped)
        dump(TokenGrant(accessToken: Secret("tell-nobody"), idToken: "tell-nobody"), to: &dumped)
        #expect(!"\(request) \(String(reflecting: request)) \(dumped)".contains("tell-nobody"))
    }
}
