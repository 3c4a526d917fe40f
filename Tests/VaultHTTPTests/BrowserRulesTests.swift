import HTTPTypes
import NIOCore
import Testing
import Vault
import VaultBase

@testable import VaultHTTP

@Suite struct BrowserRulesTests {
    private static let app = "https://app.example.com"

    private func house() async throws -> House {
        var house = try await House(frontend: Self.app + "/start", issuer: "https://api.example.com")
        house.options.allowedOrigins = ["https://second.example.com"]
        return house
    }

    @Test(arguments: ["https://app.example.com", "https://second.example.com"])
    func aConfiguredOriginMayReadAndGetsTheLoginsCookie(_ origin: String) async throws {
        try await house().visit { browser async throws in
            let answer = try await browser.send(.post, "/auth/acme/login", headers: [.origin: origin])
            #expect(answer.headers[.accessControlAllowOrigin] == origin)
            #expect(answer.headers[.accessControlAllowCredentials] == "true")
            #expect(answer.headers[.vary] == "Origin")
            // Errors too, or a frontend could not read their codes.
            let error = try await browser.send(.get, "/auth/session", headers: [.origin: origin])
            #expect(error.status == .unauthorized)
            #expect(error.headers[.accessControlAllowOrigin] == origin)
            // No cookie is of use there.
            #expect(error.headers[.accessControlAllowCredentials] == nil)
        }
    }

    @Test func aSessionCookieTravelsAcrossOriginsOnlyWhereItIsTheWay() async throws {
        try await House(delivery: .cookie).visit { browser async throws in
            let answer = try await browser.send(.get, "/auth/session", headers: [.origin: House.frontend])
            #expect(answer.headers[.accessControlAllowCredentials] == "true")
        }
    }

    @Test(arguments: [
        "https://evil.example", "https://app.example.com.evil.example", "http://app.example.com", "null", "*",
        "https://app.example.com:8443", "https://APP.example.com",
    ])
    func noOtherOriginIsEverNamed(_ origin: String) async throws {
        try await house().visit { browser async throws in
            for (method, path) in [(HTTPRequest.Method.get, "/auth/platforms"), (.post, "/auth/acme/login")] {
                let answer = try await browser.send(method, path, headers: [.origin: origin])
                #expect(answer.headers[.accessControlAllowOrigin] == nil)
                #expect(answer.headers[.accessControlAllowCredentials] == nil)
            }
            let preflight = try await browser.send(
                .options, "/auth/acme/login", headers: [.origin: origin, .accessControlRequestMethod: "POST"])
            #expect(preflight.headers[.accessControlAllowOrigin] == nil)
            #expect(preflight.headers[.accessControlAllowMethods] == nil)
        }
    }

    @Test func aPreflightSaysWhatThePathTakes() async throws {
        let house = try await house()
        try await house.visit { browser async throws in
            let answer = try await browser.send(
                .options, "/auth/session", headers: [.origin: Self.app, .accessControlRequestMethod: "DELETE"])
            #expect(answer.status == .noContent)
            #expect(answer.headers[.accessControlAllowOrigin] == Self.app)
            #expect(answer.headers[.accessControlAllowMethods] == "DELETE, GET")
            #expect(answer.headers[.accessControlAllowHeaders] == "Authorization, Content-Type, X-Vault-CSRF")
            #expect(house.provider.calls.isEmpty)
        }
    }

    @Test func ourOwnOriginMayChangeThings() async throws {
        try await house().visit { browser async throws in
            let own: HTTPFields = [.origin: "https://api.example.com"]
            #expect(try await browser.send(.post, "/auth/acme/login", headers: own).status == .ok)
        }
    }

    @Test func everyAnswerIsHardened() async throws {
        var house = try await house()
        house.options.demo = true
        try await house.visit { browser async throws in
            for path in ["/auth/platforms", "/auth/session", "/nothing", "/auth/acme/callback", "/", "/client.js"] {
                let headers = try await browser.send(.get, path).headers
                #expect(headers[.xContentTypeOptions] == "nosniff", "\(path)")
                #expect(headers[.referrerPolicy] == "no-referrer", "\(path)")
                #expect(headers[.contentSecurityPolicy]?.hasPrefix("default-src 'none'") == true, "\(path)")
                #expect(headers[.contentSecurityPolicy]?.contains("frame-ancestors 'none'") == true, "\(path)")
                #expect(headers[.xRequestID]?.isEmpty == false, "\(path)")
                let isFile = path == "/" || path == "/client.js"
                #expect(headers[.cacheControl] == (isFile ? "no-cache" : "no-store"), "\(path)")
            }
        }
    }

    @Test func overTLSTheBindingCookieIsTheHostsAlone() async throws {
        try await house().visit { browser async throws in
            let cookie = try #require(try await browser.send(.post, "/auth/acme/login").headers[.setCookie])
            let parts = cookie.split(separator: "; ").map(String.init)
            #expect(parts.first?.hasPrefix("__Host-vault-login=") == true)
            #expect(Set(parts.dropFirst()) == ["Path=/", "Max-Age=600", "HttpOnly", "SameSite=Lax", "Secure"])
        }
    }

    @Test func onLoopbackTheBindingCookieIsPlain() async throws {
        try await House().visit { browser async throws in
            let cookie = try #require(try await browser.send(.post, "/auth/acme/login").headers[.setCookie])
            let parts = cookie.split(separator: "; ").map(String.init)
            #expect(parts.first?.hasPrefix("vault-login=") == true)
            #expect(Set(parts.dropFirst()) == ["Path=/", "Max-Age=600", "HttpOnly", "SameSite=Lax"])
        }
    }
}

@Suite struct DemoTests {
    @Test(arguments: [
        ("/", "text/html; charset=utf-8"), ("/client.js", "text/javascript; charset=utf-8"),
        ("/tabs.js", "text/javascript; charset=utf-8"), ("/errors.js", "text/javascript; charset=utf-8"),
        ("/app.js", "text/javascript; charset=utf-8"), ("/style.css", "text/css; charset=utf-8"),
        ("/openapi.json", "application/json"),
    ])
    func filesAreServedAndRevalidated(_ path: String, _ type: String) async throws {
        var house = try await House()
        house.options.demo = true
        try await house.visit { browser async throws in
            let file = try await browser.send(.get, path)
            #expect(file.status == .ok)
            #expect(file.headers[.contentType] == type)
            #expect(file.body.readableBytes > 0)
            let tag = try #require(file.headers[.eTag])
            let same = try await browser.send(.get, path, headers: [.ifNoneMatch: tag])
            #expect(same.status == .notModified)
            #expect(same.body.readableBytes == 0)
        }
    }

    @Test func thePageMayUseItsOwnFilesAndNothingElse() async throws {
        var house = try await House()
        house.options.demo = true
        try await house.visit { browser async throws in
            let page = try await browser.send(.get, "/")
            #expect(
                page.headers[.contentSecurityPolicy]
                    == "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
                    + "img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
            // What the policy would not let run is not there.
            #expect(!page.text.contains("style=\""))
            #expect(!page.text.contains("onclick="))
            let head = try await browser.send(.head, "/")
            #expect(head.status == .ok)
            #expect(head.body.readableBytes == 0)
        }
    }
}
