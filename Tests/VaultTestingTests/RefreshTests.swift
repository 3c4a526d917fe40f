import Testing
import VaultTesting

@Suite struct RefreshTests {
    @Test func aRefreshRotatesTheRefreshToken() async throws {
        try await withSandbox { browser async throws in
            let first = browser.control.grant(to: "ada")
            let second = try await browser.refresh(first.refreshToken).json
            #expect(second["refresh_token"] != first.refreshToken)
            #expect(second["access_token"] != first.accessToken)
            let third = try await browser.refresh(second["refresh_token"] ?? "")
            #expect(third.status == 200)
            #expect(browser.control.ledger.refreshes == 2)
        }
    }

    @Test func aRotatedTokenUsedAgainRevokesTheFamily() async throws {
        try await withSandbox { browser async throws in
            let first = browser.control.grant(to: "ada")
            let second = try await browser.refresh(first.refreshToken).json
            #expect(try await browser.refresh(first.refreshToken).json["error"] == "invalid_grant")
            #expect(try await browser.refresh(second["refresh_token"] ?? "").json["error"] == "invalid_grant")
            #expect(try await browser.userinfo(second["access_token"] ?? "").status == 401)
            let grant = try #require(browser.control.ledger.grants(of: "ada").first)
            #expect(grant.revoked == "refresh token used twice")
            #expect(grant.reuses == 1)
            #expect(grant.current == nil)
        }
    }

    @Test func anotherGrantOfTheSameUserLivesOn() async throws {
        try await withSandbox { browser async throws in
            let one = browser.control.grant(to: "ada")
            let other = browser.control.grant(to: "ada")
            _ = try await browser.refresh(one.refreshToken)
            _ = try await browser.refresh(one.refreshToken)
            #expect(try await browser.refresh(other.refreshToken).status == 200)
        }
    }

    @Test func aRefreshMayAskForLessButNotForMore() async throws {
        try await withSandbox { browser async throws in
            let token = browser.control.grant(to: "ada").refreshToken
            #expect(try await browser.refresh(token, ["scope": "music email"]).json["error"] == "invalid_scope")
            let less = try await browser.refresh(token, ["scope": "music"]).json
            #expect(less["scope"] == "music")
            #expect(try await browser.refresh(less["refresh_token"] ?? "").json["scope"] == "profile music")
        }
    }

    @Test func anAccessTokenEndsWithItsTime() async throws {
        let clock = HandClock()
        try await withSandbox({ $0.clock = clock }) { browser async throws in
            browser.control.accessTokenLifetime = .seconds(30)
            let token = browser.control.grant(to: "ada").accessToken
            clock.advance(.milliseconds(29_999))
            let last = try await browser.userinfo(token)
            #expect(last.status == 200)
            clock.advance(.milliseconds(1))
            let late = try await browser.userinfo(token)
            #expect(late.status == 401)
        }
    }

    @Test func revokingTheRefreshTokenEndsTheGrant() async throws {
        try await withSandbox { browser async throws in
            let issued = browser.control.grant(to: "ada")
            let answer = try await browser.post(
                "/revoke", [("token", issued.refreshToken)], authorization: Browser.basic)
            #expect(answer.status == 200)
            #expect(try await browser.userinfo(issued.accessToken).status == 401)
            #expect(try await browser.refresh(issued.refreshToken).json["error"] == "invalid_grant")
            #expect(browser.control.ledger.reuses == 0)
        }
    }

    @Test func revokingAnAccessTokenLeavesTheGrant() async throws {
        try await withSandbox { browser async throws in
            let issued = browser.control.grant(to: "ada")
            _ = try await browser.post("/revoke", [("token", issued.accessToken)], authorization: Browser.basic)
            #expect(try await browser.userinfo(issued.accessToken).status == 401)
            #expect(try await browser.refresh(issued.refreshToken).status == 200)
        }
    }

    @Test func revokingNeedsTheClientAndForgivesAnUnknownToken() async throws {
        try await withSandbox { browser async throws in
            let token = browser.control.grant(to: "ada").refreshToken
            #expect(try await browser.post("/revoke", [("token", token)]).status == 401)
            let unknown = try await browser.post("/revoke", [("token", "unknown")], authorization: Browser.basic)
            #expect(unknown.status == 200)
            #expect(try await browser.refresh(token).status == 200)
        }
    }

    @Test func theMetadataNamesEveryEndpoint() async throws {
        try await withSandbox { browser async throws in
            let paths = ["/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"]
            for path in paths {
                let metadata = try await browser.get(path)
                #expect(metadata.json["issuer"] == "http://127.0.0.1:8002")
                #expect(metadata.json["token_endpoint"] == "http://127.0.0.1:8002/token")
                #expect(metadata.json["revocation_endpoint"] == "http://127.0.0.1:8002/revoke")
                #expect(metadata.json["userinfo_endpoint"] == "http://127.0.0.1:8002/userinfo")
                #expect(metadata.json["jwks_uri"] == "http://127.0.0.1:8002/jwks")
                #expect(metadata.body.contains(#""code_challenge_methods_supported":["S256"]"#))
                #expect(metadata.body.contains(#""authorization_response_iss_parameter_supported":true"#))
            }
        }
    }
}
