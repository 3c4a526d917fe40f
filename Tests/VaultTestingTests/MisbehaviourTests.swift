import HTTPTypes
import Testing
import VaultTesting

@Suite struct MisbehaviourTests {
    @Test func aRateLimitSaysWhenToComeBack() async throws {
        try await withSandbox { browser async throws in
            let token = browser.control.grant(to: "ada").refreshToken
            browser.control.misbehave(.init(.rateLimited, times: 1, seconds: 7))
            let answer = try await browser.refresh(token)
            #expect(answer.status == 429)
            #expect(answer.headers[.retryAfter] == "7")
            #expect(try await browser.refresh(token).status == 200)
        }
    }

    @Test(arguments: [
        (Sandbox.Misbehaviour(.status, status: 500), 500, "application/json"),
        (.init(.status, error: "invalid_grant"), 503, "application/json"),
        (.init(.okWithError), 200, "application/json"), (.init(.html), 403, "text/html; charset=utf-8"),
        (.init(.html, status: 502), 502, "text/html; charset=utf-8"),
    ])
    func aRefusalDoesNothing(fault: Sandbox.Misbehaviour, status: Int, type: String) async throws {
        try await withSandbox { browser async throws in
            let token = browser.control.grant(to: "ada").refreshToken
            browser.control.misbehave(fault)
            let answer = try await browser.refresh(token)
            #expect(answer.status == status)
            #expect(answer.headers[.contentType] == type)
            #expect(answer.json["access_token"] == nil)
            browser.control.reset()
            #expect(try await browser.refresh(token).status == 200)
            #expect(browser.control.ledger.refreshes == 1)
        }
    }

    @Test func anOmittedRefreshTokenStaysGood() async throws {
        try await withSandbox { browser async throws in
            let token = browser.control.grant(to: "ada").refreshToken
            browser.control.misbehave(.init(.omitRefreshToken))
            for _ in 0..<2 {
                let answer = try await browser.refresh(token)
                #expect(answer.status == 200)
                #expect(answer.json["refresh_token"] == nil)
            }
            #expect(browser.control.ledger.reuses == 0)
        }
    }

    @Test func aNonRotatingServerGivesTheSameToken() async throws {
        try await withSandbox { browser async throws in
            let token = browser.control.grant(to: "ada").refreshToken
            browser.control.misbehave(.init(.nonRotating))
            #expect(try await browser.refresh(token).json["refresh_token"] == token)
            #expect(try await browser.refresh(token).json["refresh_token"] == token)
        }
    }

    @Test func aTruncatedAnswerWasARedemption() async throws {
        try await withSandbox { browser async throws in
            let token = browser.control.grant(to: "ada").refreshToken
            browser.control.misbehave(.init(.truncated, times: 1))
            let answer = try await browser.refresh(token)
            #expect(answer.status == 200)
            #expect(answer.body.hasPrefix("{") && answer.json.isEmpty)
            #expect(browser.control.ledger.refreshes == 1)
            #expect(try await browser.refresh(token).json["error"] == "invalid_grant")
        }
    }

    @Test func aLostAnswerWasARedemptionAndClosesTheConnection() async throws {
        try await withSandbox(live: true) { browser async throws in
            let token = browser.control.grant(to: "ada").refreshToken
            browser.control.misbehave(.init(.lostAnswer, times: 1))
            await #expect(throws: (any Error).self) { try await browser.refresh(token) }
            let grant = try #require(browser.control.ledger.grants(of: "ada").first)
            #expect(grant.refreshTokens.map(\.state) == [.rotated, .current])
            #expect(grant.refreshTokens[0].id == Sandbox.Ledger.id(of: token))
        }
    }

    @Test func aDroppedRequestWasNoRedemption() async throws {
        try await withSandbox(live: true) { browser async throws in
            let token = browser.control.grant(to: "ada").refreshToken
            browser.control.misbehave(.init(.dropped, times: 1))
            await #expect(throws: (any Error).self) { try await browser.refresh(token) }
            #expect(browser.control.ledger.refreshes == 0)
            #expect(browser.control.ledger.grants(of: "ada").first?.current == Sandbox.Ledger.id(of: token))
        }
    }

    @Test func aShortLifeIsTold() async throws {
        try await withSandbox { browser async throws in
            browser.control.misbehave(.init(.shortExpiry, seconds: 2))
            #expect(try await browser.redeem(browser.code()).json["expires_in"] == "2")
        }
    }

    @Test func aSlowAnswerIsAGoodOne() async throws {
        try await withSandbox { browser async throws in
            browser.control.misbehave(.init(.slow, milliseconds: 20))
            let clock = ContinuousClock()
            let start = clock.now
            #expect(try await browser.refresh(browser.control.grant(to: "ada").refreshToken).status == 200)
            #expect(clock.now - start >= .milliseconds(20))
        }
    }

    @Test func itTellsWhatItIsBusyWith() async throws {
        try await withSandbox { browser async throws in
            browser.control.misbehave(.init(.slow, milliseconds: 300))
            async let answer = browser.refresh(browser.control.grant(to: "ada").refreshToken)
            while browser.control.redeeming == 0 { await Task.yield() }
            #expect(browser.control.ledger.refreshes == 0)
            #expect(try await answer.status == 200)
            #expect(browser.control.redeeming == 0)
        }
    }

    @Test func aGrantCanEndBehindTheClientsBack() async throws {
        try await withSandbox { browser async throws in
            let token = browser.control.grant(to: "ada").refreshToken
            browser.control.misbehave(.init(.revoked, times: 1))
            #expect(try await browser.refresh(token).json["error"] == "invalid_grant")
            #expect(browser.control.ledger.grants(of: "ada").first?.revoked == "revoked by the user")
        }
    }

    @Test func aFaultHoldsForItsUserScopeAndPlaceAlone() async throws {
        try await withSandbox { browser async throws in
            let control = browser.control
            control.misbehave(.init(.status, at: .refresh, user: "ada"))
            control.misbehave(.init(.status, at: .refresh, scope: "email"))
            #expect(try await browser.refresh(control.grant(to: "ada").refreshToken).status == 503)
            #expect(try await browser.refresh(control.grant(to: "duke").refreshToken).status == 200)
            let withEmail = control.grant(to: "duke", scopes: ["profile", "email"])
            #expect(try await browser.refresh(withEmail.refreshToken).status == 503)
            #expect(try await browser.redeem(browser.code(as: "ada")).status == 200)
            #expect(try await browser.userinfo(control.grant(to: "ada").accessToken).status == 200)
        }
    }

    @Test(arguments: [
        (Sandbox.Misbehaviour.Place.userinfo, "/userinfo"), (.metadata, "/.well-known/openid-configuration"),
        (.authorize, "/authorize"),
    ])
    func everyPlaceCanFail(place: Sandbox.Misbehaviour.Place, path: String) async throws {
        try await withSandbox { browser async throws in
            browser.control.misbehave(.init(.status, at: place, times: 1))
            let token = browser.control.grant(to: "ada").accessToken
            func ask() async throws -> Int {
                place == .authorize
                    ? try await browser.authorize().status
                    : try await browser.get(path, headers: [.authorization: "Bearer \(token)"]).status
            }
            #expect(try await ask() == 503)
            #expect(try await ask() == 200)
        }
    }

    @Test func aUserNamedLikeAFaultGetsItAtEachRefresh() async throws {
        try await withSandbox { browser async throws in
            let issued = try await browser.redeem(browser.code(as: "rate-limited"))
            #expect(issued.status == 200)
            #expect(try await browser.refresh(issued.json["refresh_token"] ?? "").status == 429)
        }
    }

    @Test func itIsSwitchedOverHTTPToo() async throws {
        try await withSandbox { browser async throws in
            let token = browser.control.grant(to: "ada").refreshToken
            let switched = try await browser.postJSON(
                "/control",
                #"{"misbehave":[{"fault":"status","at":"refresh","times":2,"status":502}],"accessTokenSeconds":9}"#)
            #expect(switched.status == 200)
            #expect(try await browser.refresh(token).status == 502)
            #expect(try await browser.get("/control").body.contains(#""times":1"#))
            _ = try await browser.postJSON("/control", #"{"reset":true}"#)
            #expect(try await browser.refresh(token).json["expires_in"] == "3600")
            #expect(try await browser.get("/ledger").body.contains(#""faults":{"status":1}"#))
        }
    }

    @Test func aClientIsRegisteredOverHTTP() async throws {
        try await withSandbox { browser async throws in
            let uri = "http://127.0.0.1:9000/auth/radio/callback"
            #expect(try await browser.authorize(["client_id": "radio", "redirect_uri": uri]).status == 400)
            _ = try await browser.postJSON(
                "/control", #"{"client":{"id":"radio","secret":"s","name":"Radio","redirectURIs":["\#(uri)"]}}"#)
            #expect(try await browser.authorize(["client_id": "radio", "redirect_uri": uri]).status == 200)
        }
    }

    @Test func grantsAreMadeOverHTTP() async throws {
        try await withSandbox { browser async throws in
            let answer = try await browser.postJSON("/grants", #"{"users":["ada","no name","duke"]}"#)
            #expect(answer.status == 200)
            #expect(Set(browser.control.ledger.grants.values.map(\.user)) == ["ada", "duke"])
            let tokens = answer.body.matches(of: #/srt_[A-Za-z0-9_-]+/#).map { String($0.output) }
            #expect(tokens.count == 2)
            for token in tokens { #expect(try await browser.refresh(token).status == 200) }
            #expect(try await browser.postJSON("/grants", "{}").status == 400)
        }
    }

    @Test func aWrongSwitchIsExplainedAndChangesNothing() async throws {
        try await withSandbox { browser async throws in
            let answer = try await browser.postJSON("/control", #"{"misbehave":[{"fault":"explode"}]}"#)
            #expect(answer.status == 400)
            #expect(answer.body.contains("lost-answer"))
            #expect(browser.control.misbehaviours.isEmpty)
            #expect(try await browser.postJSON("/control", "{}", type: "text/plain").status == 415)
        }
    }

    @Test func theLedgerHoldsNoToken() async throws {
        try await withSandbox { browser async throws in
            let code = try await browser.code()
            let issued = try await browser.redeem(code).json
            let refreshed = try await browser.refresh(issued["refresh_token"] ?? "").json
            let ledger = try await browser.get("/ledger").body
            for token in [code]
                + [issued, refreshed].flatMap({ [$0["access_token"], $0["refresh_token"]] }).compactMap({ $0 })
            {
                #expect(!ledger.contains(token))
            }
            #expect(ledger.contains(Sandbox.Ledger.id(of: refreshed["refresh_token"] ?? "")))
        }
    }
}
