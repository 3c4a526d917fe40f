import HTTPTypes
import NIOCore
import Testing
import Vault
import VaultBase

@testable import VaultHTTP

@Suite struct CallbackTests {
    @Test func theSameCallbackFromTheSameBrowserIsAnsweredTheSame() async throws {
        let house = try await House()
        try await house.visit { browser async throws in
            let callback = try await browser.begin()
            let first = try await browser.send(.get, callback)
            let second = try await browser.send(.get, callback)
            #expect(first.status == .seeOther)
            #expect(second.status == .seeOther)
            #expect(try first.fragment["platform"] == second.fragment["platform"])
            let session = try second.fragment["session"]
            #expect(try await browser.send(.get, "/auth/session", session: session).status == .ok)
            #expect(house.provider.calls == ["exchange", "profile"])
        }
    }

    @Test func anotherBrowserIsRefusedAndRedirectedNowhere() async throws {
        let house = try await House()
        try await house.visit { browser async throws in
            let callback = try await browser.begin()
            let stranger = browser.stranger()
            _ = try await stranger.begin()
            let answer = try await stranger.send(.get, callback)
            try answer.expectProblem("forbidden", 403)
            #expect(answer.headers[.location] == nil)
            #expect(house.provider.calls.isEmpty)
            // And it took nothing from the one whose login it is.
            #expect(try await browser.send(.get, callback).status == .seeOther)
        }
    }

    @Test(arguments: [
        ("Sec-Purpose", "prefetch"), ("Sec-Purpose", "prefetch;prerender"), ("Purpose", "Prefetch"),
    ])
    func aPrefetchTouchesNothing(_ name: String, _ value: String) async throws {
        let headers: HTTPFields = [try #require(HTTPField.Name(name)): value]
        let house = try await House()
        try await house.visit { browser async throws in
            let callback = try await browser.begin()
            let looked = try await browser.send(.get, callback, headers: headers)
            #expect(looked.status == .noContent)
            #expect(looked.headers[.cacheControl] == "no-store")
            #expect(house.provider.calls.isEmpty)
            #expect(try await browser.send(.get, callback).status == .seeOther)
        }
    }

    @Test func twoLoginsInTwoTabsBothEndWell() async throws {
        try await House().visit { browser async throws in
            let first = try await browser.begin("acme")
            let second = try await browser.begin("formal")
            #expect(try await browser.send(.get, first).status == .seeOther)
            #expect(try await browser.send(.get, second).status == .seeOther)
        }
    }

    @Test func aPostedCallbackIsSentOnToTheGet() async throws {
        let house = try await House()
        try await house.visit { browser async throws in
            let callback = try await browser.begin("formal")
            let form = String(callback.split(separator: "?")[1]) + "&iss=https%3A%2F%2Fformal.example"
            // As from the provider's site: its origin, and none of our cookies.
            let posted = try await browser.stranger().send(
                .post, "/auth/formal/callback",
                headers: [.contentType: "application/x-www-form-urlencoded", .origin: "https://formal.example"],
                body: ByteBuffer(string: form))
            #expect(posted.status == .seeOther)
            let next = try #require(posted.headers[.location])
            #expect(next.hasPrefix("/auth/formal/callback?code=the-code&state="))
            #expect(house.provider.calls.isEmpty)
            let answer = try await browser.send(.get, next)
            #expect(try answer.fragment["session"] != nil)
        }
    }

    @Test func aPersonGetsAPageThatLeadsBack() async throws {
        try await House(frontend: "https://app.example.com/?a=1&b=2").visit { browser async throws in
            let accept: HTTPFields = [.accept: "text/html,application/xhtml+xml,*/*;q=0.8"]
            let uri = "/auth/acme/callback?state=%3Cscript%3Ealert(1)%3C/script%3E&code=x"
            let answer = try await browser.send(.get, uri, headers: accept)
            #expect(answer.status == .forbidden)
            #expect(answer.headers[.contentType] == "text/html; charset=utf-8")
            #expect(answer.headers[.cacheControl] == "no-store")
            #expect(answer.text.contains("<a href=\"https://app.example.com/?a=1&amp;b=2\">"))
            #expect(!answer.text.contains("<script"))
            #expect(answer.headers[.contentSecurityPolicy]?.hasPrefix("default-src 'none'") == true)
            // Everywhere else it is a program that asks.
            try await browser.send(.get, "/auth/session", headers: accept).expectProblem("unauthorized", 401)
        }
    }

    @Test(arguments: [
        (nil, "https://app.example.com/start#x=1"), ("/library", "https://app.example.com/start/library#x=1"),
        ("https://other.example/#/done", "https://other.example/#/done&x=1"),
        ("com.example.app://done", "com.example.app://done#x=1"),
    ])
    func theFragmentIsPutWhereTheFrontendLooks(_ returnTo: String?, _ target: String) async throws {
        let house = try await House(frontend: "https://app.example.com/start")
        let parts = try FacadeParts(vault: house.vault, options: house.options, now: house.limits.now)
        #expect(parts.frontend(returnTo, [("x", "1")]) == target)
    }
}

@Suite struct DeliveryTests {
    @Test func byCookieTheSessionIsNeverShownToThePage() async throws {
        let house = try await House(delivery: .cookie)
        try await house.visit { browser async throws in
            let callback = try await browser.begin()
            let answer = try await browser.send(.get, callback)
            #expect(try answer.fragment == ["platform": "acme"])
            let cookie = try #require(answer.headers[.setCookie])
            #expect(cookie.hasPrefix("vault-session="))
            let attributes = Set(cookie.split(separator: "; ").dropFirst().map(String.init))
            #expect(attributes == ["Path=/", "Max-Age=43200", "HttpOnly", "SameSite=Strict"])
            #expect(try await browser.send(.get, "/auth/session").status == .ok)

            let renewed = try await browser.send(.post, "/auth/session/refresh", headers: [.csrf: "1"])
            #expect(renewed.status == .ok)
            #expect(try renewed.json.keys == ["expiresAt"])
            #expect(renewed.headers[.setCookie]?.hasPrefix("vault-session=") == true)
            #expect(try await browser.send(.get, "/auth/acme/token").status == .ok)

            let out = try await browser.send(.delete, "/auth/session", headers: [.csrf: "1"])
            #expect(out.status == .noContent)
            #expect(browser.jar["vault-session"] == nil)
            try await browser.send(.get, "/auth/session").expectProblem("unauthorized", 401)
        }
    }

    @Test(arguments: [
        (HTTPRequest.Method.post, "/auth/acme/refresh"), (.delete, "/auth/acme"), (.delete, "/auth/session"),
        (.post, "/auth/session/refresh"), (.post, "/auth/acme/login"),
    ])
    func aChangeByCookieNeedsTheHeaderNoOtherSiteCanSend(_ method: HTTPRequest.Method, _ path: String) async throws {
        let house = try await House(delivery: .cookie)
        try await house.visit { browser async throws in
            let callback = try await browser.begin()
            _ = try await browser.send(.get, callback)
            for value in [nil, "0", "1, 1"] {
                var headers = HTTPFields()
                headers[.csrf] = value
                try await browser.send(method, path, headers: headers).expectProblem("forbidden", 403)
            }
            #expect(try await browser.send(.get, "/auth/session").status == .ok)
            #expect(house.provider.calls == ["exchange", "profile"])
            #expect(try await browser.send(method, path, headers: [.csrf: "1"]).status.kind == .successful)
        }
    }

    @Test func overTLSTheSessionCookieIsTheHostsAlone() async throws {
        let house = try await House(
            delivery: .cookie, frontend: "https://app.example.com/", issuer: "https://api.example.com")
        try await house.visit { browser async throws in
            let callback = try await browser.begin()
            let cookie = try #require(try await browser.send(.get, callback).headers[.setCookie])
            let parts = cookie.split(separator: "; ").map(String.init)
            #expect(parts.first?.hasPrefix("__Host-vault-session=") == true)
            #expect(Set(parts.dropFirst()) == ["Path=/", "Max-Age=43200", "HttpOnly", "SameSite=Strict", "Secure"])
        }
    }

    @Test func aLoginTakesUpNoSessionThatWasPlanted() async throws {
        let house = try await House(delivery: .cookie)
        try await house.visit { browser async throws in
            let mallory = browser.stranger()
            _ = try await mallory.send(.get, try await mallory.begin())
            let planted = try #require(mallory.jar["vault-session"])
            let callback = try await browser.begin()
            browser.jar["vault-session"] = planted
            _ = try await browser.send(.get, callback)
            #expect(browser.jar["vault-session"] != planted)
        }
    }

    @Test func aCookieThatIsOverDoesNotKeepTheUserFromLoggingIn() async throws {
        let house = try await House(delivery: .cookie)
        try await house.visit { browser async throws in
            let callback = try await browser.begin()
            _ = try await browser.send(.get, callback)
            house.clock.advance(.seconds(13 * 3600))
            try await browser.send(.get, "/auth/session").expectProblem("unauthorized", 401)
            #expect(try await browser.send(.post, "/auth/acme/login", headers: [.csrf: "1"]).status == .ok)
        }
    }

    @Test func aCodeIsWorthOneSessionInItsOwnBrowser() async throws {
        let house = try await House(delivery: .code)
        try await house.visit { browser async throws in
            let fragment = try await browser.login()
            #expect(Set(fragment.keys) == ["code", "platform"])
            let body = #"{"code":"\#(fragment["code"] ?? "")"}"#
            let answer = try await browser.send(.post, "/auth/session/code", json: body)
            try OpenAPI.expect(answer, is: "IssuedSession")
            let session = try answer.json["session"]?.string
            #expect(try await browser.send(.get, "/auth/session", session: session).status == .ok)
            try await browser.send(.post, "/auth/session/code", json: body).expectProblem("unauthorized", 401)
        }
    }

    @Test func aCodeIsWorthNothingElsewhereOrLater() async throws {
        let house = try await House(delivery: .code)
        try await house.visit { browser async throws in
            let first = try #require(try await browser.login()["code"])
            let stolen = browser.stranger()
            _ = try await stolen.begin()
            let body = #"{"code":"\#(first)"}"#
            try await stolen.send(.post, "/auth/session/code", json: body).expectProblem("unauthorized", 401)
            // Whoever tried it has used it up.
            try await browser.send(.post, "/auth/session/code", json: body).expectProblem("unauthorized", 401)

            let second = try #require(try await browser.login()["code"])
            house.clock.advance(.seconds(61))
            try await browser.send(.post, "/auth/session/code", json: #"{"code":"\#(second)"}"#)
                .expectProblem("unauthorized", 401)
            try await browser.send(.post, "/auth/session/code", json: "{}").expectProblem("bad-request", 400)
        }
    }
}
