import HTTPTypes
import Testing
import VaultBase
import VaultCrypto
import VaultTesting

@Suite struct TokenTests {
    @Test func aCodeGivesTokens() async throws {
        try await withSandbox { browser async throws in
            let answer = try await browser.redeem(browser.code())
            #expect(answer.status == 200)
            #expect(answer.headers[.cacheControl] == "no-store")
            let issued = answer.json
            #expect(issued["token_type"] == "Bearer")
            #expect(issued["expires_in"] == "3600")
            #expect(issued["scope"] == "profile music")
            #expect(issued["refresh_token"]?.isEmpty == false)
            #expect(issued["id_token"] == nil)
            let person = try await browser.userinfo(issued["access_token"] ?? "").json
            #expect(person == ["sub": "sandbox-ada", "name": "Ada Lovelace", "email": "ada@sandbox.example"])
        }
    }

    @Test func aCodeUsedTwiceTakesBackWhatItGave() async throws {
        try await withSandbox { browser async throws in
            let code = try await browser.code()
            let issued = try await browser.redeem(code).json
            let again = try await browser.redeem(code)
            #expect(again.status == 400)
            #expect(again.json["error"] == "invalid_grant")
            #expect(try await browser.userinfo(issued["access_token"] ?? "").status == 401)
            #expect(try await browser.refresh(issued["refresh_token"] ?? "").json["error"] == "invalid_grant")
            #expect(browser.control.ledger.reuses == 1)
        }
    }

    @Test(
        arguments: [
            ("code_verifier", nil), ("code_verifier", "another-verifier-of-at-least-forty-three-chars"),
            ("code_verifier", "short"), ("redirect_uri", nil),
            ("redirect_uri", "http://127.0.0.1:8001/auth/sandbox/callback"), ("code", "unknown"),
        ] as [(String, String?)])
    func aCodeNeedsItsVerifierAndItsAddress(name: String, value: String?) async throws {
        try await withSandbox { browser async throws in
            let answer = try await browser.redeem(try await browser.code(), [name: value])
            #expect(answer.status == 400)
            #expect(answer.json["error"] == "invalid_grant")
            #expect(answer.json["access_token"] == nil)
        }
    }

    @Test func aFailedRedemptionUsesTheCodeUp() async throws {
        try await withSandbox { browser async throws in
            let code = try await browser.code()
            _ = try await browser.redeem(code, ["code_verifier": "another-verifier-of-at-least-forty-three-chars"])
            #expect(try await browser.redeem(code).json["error"] == "invalid_grant")
        }
    }

    @Test func aCodeLivesAMinute() async throws {
        let clock = HandClock()
        try await withSandbox({ $0.clock = clock }) { browser async throws in
            let code = try await browser.code()
            clock.advance(.seconds(60))
            #expect(try await browser.redeem(code).json["error"] == "invalid_grant")
        }
    }

    @Test func aCodeOfAnotherClientIsUnknown() async throws {
        let other = Sandbox.Client(id: "other", secret: "other-secret", name: "Other", redirectURIs: [])
        try await withSandbox({ $0.clients = [other] }) { browser async throws in
            let code = try await browser.code()
            let answer = try await browser.post(
                "/token",
                [
                    ("grant_type", "authorization_code"), ("code", code), ("redirect_uri", Browser.redirectURI),
                    ("code_verifier", Browser.verifier), ("client_id", "other"), ("client_secret", "other-secret"),
                ])
            #expect(answer.json["error"] == "invalid_grant")
            #expect(try await browser.redeem(code).status == 200)
        }
    }

    @Test func theClientMayProveItselfInTheBody() async throws {
        try await withSandbox { browser async throws in
            let token = browser.control.grant(to: "ada").refreshToken
            let fields = [("grant_type", "refresh_token"), ("refresh_token", token), ("client_id", "sandbox")]
            let good = try await browser.post("/token", fields + [("client_secret", "sandbox-secret")])
            #expect(good.status == 200)
        }
    }

    @Test func aClientThatDoesNotProveItselfIsRefused() async throws {
        try await withSandbox { browser async throws in
            let token = browser.control.grant(to: "ada").refreshToken
            let fields = [("grant_type", "refresh_token"), ("refresh_token", token)]
            let wrong = "Basic " + Base64.encode(Array("sandbox:wrong".utf8))
            for (more, header) in [
                ([], nil), ([("client_id", "sandbox")], nil), ([], wrong), ([], "Bearer x"),
                ([("client_id", "sandbox"), ("client_secret", "wrong")], nil),
            ] as [([(String, String)], String?)] {
                let answer = try await browser.post("/token", fields + more, authorization: header)
                #expect(answer.status == 401)
                #expect(answer.json["error"] == "invalid_client")
                #expect((answer.headers[.wwwAuthenticate] != nil) == (header != nil))
            }
            let both = try await browser.post(
                "/token", fields + [("client_secret", "sandbox-secret")], authorization: Browser.basic)
            #expect(both.json["error"] == "invalid_request")
            #expect(browser.control.ledger.refreshes == 0)
        }
    }

    @Test(arguments: [
        "", "grant_type=password&username=a&password=b", "grant_type=refresh_token",
        "grant_type=authorization_code", "grant_type=refresh_token&refresh_token=a&refresh_token=b",
    ])
    func aMalformedRequestIsRefused(body: String) async throws {
        try await withSandbox { browser async throws in
            let pairs = body.split(separator: "&").map { pair in
                let parts = pair.split(separator: "=")
                return (String(parts[0]), String(parts[1]))
            }
            let answer = try await browser.post("/token", pairs, authorization: Browser.basic)
            #expect(answer.status == 400)
            #expect(["invalid_request", "unsupported_grant_type"].contains(answer.json["error"] ?? ""))
        }
    }

    @Test func theBodyMustBeAForm() async throws {
        try await withSandbox { browser async throws in
            let answer = try await browser.postJSON("/token", "{}")
            #expect(answer.json["error"] == "invalid_request")
        }
    }

    @Test func anIDTokenCarriesTheNonceAndIsSignedWithTheSecret() async throws {
        try await withSandbox { browser async throws in
            browser.control.autoApprove = "ada"
            let answer = try await browser.authorize(["scope": "openid", "nonce": "the-nonce"])
            let issued = try await browser.redeem(try #require(answer.parameters["code"])).json
            let parts = try #require(issued["id_token"]).split(separator: ".").map(String.init)
            let claims = String(decoding: try #require(Base64.decode(parts[1])), as: UTF8.self)
            #expect(claims.contains(#""nonce":"the-nonce""#))
            #expect(claims.contains(#""iss":"http://127.0.0.1:8002""#))
            #expect(claims.contains(#""aud":"sandbox""#))
            let signature = Digest.hmacSHA256(Array("\(parts[0]).\(parts[1])".utf8), key: Secret("sandbox-secret"))
            #expect(parts[2] == Base64.encodeURL(signature))
        }
    }
}
