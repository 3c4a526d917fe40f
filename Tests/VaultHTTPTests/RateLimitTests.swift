import HTTPTypes
import Testing
import Vault
import VaultBase

@testable import VaultHTTP

@Suite struct RateLimitTests {
    @Test func theEleventhLoginOfAMinuteIsRefusedUntilTheNextIsDue() async throws {
        var house = try await House()
        house.options.loginsPerMinute = 10
        let limits = house.limits
        try await house.visit { browser async throws in
            for left in (0..<10).reversed() {
                let answer = try await browser.send(.post, "/auth/acme/login")
                #expect(answer.status == .ok)
                #expect(answer.headers[.rateLimitLimit] == "10")
                #expect(answer.headers[.rateLimitRemaining] == "\(left)")
            }
            let refused = try await browser.send(.post, "/auth/acme/login")
            try refused.expectProblem("rate-limited", 429)
            #expect(refused.headers[.retryAfter] == "6")
            #expect(refused.headers[.rateLimitRemaining] == "0")
            limits.advance(6000)
            #expect(try await browser.send(.post, "/auth/acme/login").status == .ok)
        }
    }

    @Test func callbacksOfOneAddressAreLimited() async throws {
        var house = try await House()
        house.options.callbacksPerMinute = 2
        let limits = house.limits
        try await house.visit { browser async throws in
            let callback = try await browser.begin()
            #expect(try await browser.send(.get, callback).status == .seeOther)
            // A prefetch touches nothing, this neither.
            #expect(try await browser.send(.get, callback, headers: [.purpose: "prefetch"]).status == .noContent)
            try await browser.send(.get, "/auth/acme/callback?state=guess").expectProblem("forbidden", 403)
            let refused = try await browser.send(.get, callback)
            try refused.expectProblem("rate-limited", 429)
            #expect(refused.headers[.retryAfter] == "30")
            try await browser.send(.post, "/auth/formal/callback").expectProblem("rate-limited", 429)
            limits.advance(30_000)
            #expect(try await browser.send(.get, callback).status == .seeOther)
        }
    }

    @Test func renewalsOfAUserAreLimited() async throws {
        var house = try await House()
        house.options.renewalsPerMinute = 2
        let limits = house.limits
        try await house.visit { browser async throws in
            var session = try await browser.session()
            let other = try await browser.stranger().session("formal")
            let path = "/auth/session/refresh"
            for left in [1, 0] {
                let answer = try await browser.send(.post, path, session: session)
                #expect(answer.headers[.rateLimitLimit] == "2" && answer.headers[.rateLimitRemaining] == "\(left)")
                session = try #require(try answer.json["session"]?.string)
            }
            let refused = try await browser.send(.post, path, session: session)
            try refused.expectProblem("rate-limited", 429)
            #expect(refused.headers[.retryAfter] == "30")
            // It holds as it did, and so does everybody else's.
            #expect(try await browser.send(.get, "/auth/session", session: session).status == .ok)
            #expect(try await browser.send(.post, path, session: other).status == .ok)
            limits.advance(30_000)
            #expect(try await browser.send(.post, path, session: session).status == .ok)
        }
    }

    @Test func exchangesOfOneAddressAreLimited() async throws {
        var house = try await House(delivery: .code)
        house.options.callbacksPerMinute = 2
        let limits = house.limits
        try await house.visit { browser async throws in
            let code = try #require(try await browser.login()["code"])
            let exchange = { (code: String) in
                try await browser.send(.post, "/auth/session/code", json: "{\"code\":\"\(code)\"}")
            }
            try await exchange("guess").expectProblem("unauthorized", 401)
            let token = #"{"state":"guess","token":"x"}"#
            try await browser.send(.post, "/auth/music/browser-token", json: token).expectProblem("forbidden", 403)
            try await exchange(code).expectProblem("rate-limited", 429)
            try await browser.send(.post, "/auth/music/browser-token", json: token)
                .expectProblem("rate-limited", 429)
            limits.advance(30_000)
            // What was refused is not used up.
            let answer = try await exchange(code)
            #expect(answer.status == .ok && answer.headers[.rateLimitRemaining] == "0")
        }
    }

    @Test func aUsersRefreshesAreLimitedAndNobodyElses() async throws {
        var house = try await House()
        house.options.refreshesPerMinute = 2
        let provider = house.provider
        try await house.visit { browser async throws in
            let session = try await browser.session("acme")
            for _ in 0..<2 {
                #expect(try await browser.send(.post, "/auth/acme/refresh", session: session).status == .ok)
            }
            try await browser.send(.post, "/auth/acme/refresh", session: session).expectProblem("rate-limited", 429)
            #expect(provider.calls.filter { $0 == "refresh" }.count == 2)
            // The token itself is still served.
            #expect(try await browser.send(.get, "/auth/acme/token", session: session).status == .ok)
            let other = try await browser.stranger().session("formal")
            #expect(try await browser.send(.post, "/auth/formal/refresh", session: other).status == .ok)
        }
    }
}
