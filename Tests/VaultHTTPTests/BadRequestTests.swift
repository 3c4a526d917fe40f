import HTTPTypes
import NIOCore
import Testing

@testable import VaultHTTP

/// A request that must be refused, and how.
struct BadRequest: Sendable, CustomTestStringConvertible {
    var name: String
    var method: HTTPRequest.Method
    var path: String
    var code: String
    var status: Int
    /// Sends a session that is good.
    var session = false
    var json: String?
    var headers: HTTPFields = [:]

    var testDescription: String { name }

    private static let long = String(repeating: "a", count: 70_000)

    static let table: [BadRequest] = [
        // Paths and methods
        .init(name: "an unknown path", method: .get, path: "/nothing", code: "not-found", status: 404),
        .init(name: "the page of a demo that is off", method: .get, path: "/", code: "not-found", status: 404),
        .init(name: "a path too deep", method: .get, path: "/auth/acme/token/x", code: "not-found", status: 404),
        .init(name: "login by GET", method: .get, path: "/auth/acme/login", code: "method-not-allowed", status: 405),
        .init(name: "token by POST", method: .post, path: "/auth/acme/token", code: "method-not-allowed", status: 405),
        .init(
            name: "refresh by GET", method: .get, path: "/auth/acme/refresh", code: "method-not-allowed", status: 405),
        .init(name: "disconnect by GET", method: .get, path: "/auth/acme", code: "method-not-allowed", status: 405),
        .init(
            name: "the callback by HEAD", method: .head, path: "/auth/acme/callback", code: "method-not-allowed",
            status: 405),
        .init(
            name: "a method of nobody's", method: .init("BREW")!, path: "/auth/session", code: "method-not-allowed",
            status: 405),
        .init(
            name: "OPTIONS without an origin", method: .options, path: "/auth/session", code: "method-not-allowed",
            status: 405),
        // Platforms
        .init(name: "an unknown platform", method: .post, path: "/auth/nobody/login", code: "no-platform", status: 404),
        .init(
            name: "a platform in capitals", method: .post, path: "/auth/ACME/login", code: "bad-request", status: 400),
        .init(name: "a platform with a dot", method: .post, path: "/auth/a.b/login", code: "bad-request", status: 400),
        .init(
            name: "a platform with an escape", method: .post, path: "/auth/ac%2e%2e/login", code: "bad-request",
            status: 400),
        .init(
            name: "a platform of 33 letters", method: .post,
            path: "/auth/" + String(repeating: "a", count: 33) + "/login", code: "bad-request", status: 400),
        .init(
            name: "a platform that is not usable", method: .post, path: "/auth/broken/login",
            code: "platform-unavailable", status: 503),
        // Bodies
        .init(
            name: "a body that is no JSON", method: .post, path: "/auth/acme/login", code: "bad-request", status: 400,
            json: "{"),
        .init(
            name: "a body that is an array", method: .post, path: "/auth/acme/login", code: "bad-request", status: 400,
            json: "[]"),
        .init(
            name: "a body that is text", method: .post, path: "/auth/acme/login", code: "bad-request", status: 400,
            json: "\"x\""),
        .init(
            name: "an unknown member", method: .post, path: "/auth/acme/login", code: "bad-request", status: 400,
            json: #"{"return_to":"/"}"#),
        .init(
            name: "returnTo as a number", method: .post, path: "/auth/acme/login", code: "bad-request", status: 400,
            json: #"{"returnTo":1}"#),
        .init(
            name: "returnTo as a list", method: .post, path: "/auth/acme/login", code: "bad-request", status: 400,
            json: #"{"returnTo":["/"]}"#),
        .init(
            name: "scopes as a text", method: .post, path: "/auth/acme/login", code: "bad-request", status: 400,
            json: #"{"scopes":"read"}"#),
        .init(
            name: "an empty scope", method: .post, path: "/auth/acme/login", code: "bad-request", status: 400,
            json: #"{"scopes":[""]}"#),
        .init(
            name: "a scope with a space", method: .post, path: "/auth/acme/login", code: "bad-request", status: 400,
            json: #"{"scopes":["read write"]}"#),
        .init(
            name: "a scope of another platform", method: .post, path: "/auth/acme/login", code: "bad-request",
            status: 400, json: #"{"scopes":["admin"]}"#),
        .init(
            name: "a returnTo that is not listed", method: .post, path: "/auth/acme/login", code: "bad-request",
            status: 400, json: #"{"returnTo":"/elsewhere"}"#),
        .init(
            name: "a returnTo to another host", method: .post, path: "/auth/acme/login", code: "bad-request",
            status: 400, json: #"{"returnTo":"//evil.example"}"#),
        .init(
            name: "a returnTo with a scheme", method: .post, path: "/auth/acme/login", code: "bad-request", status: 400,
            json: #"{"returnTo":"javascript:alert(1)"}"#),
        .init(
            name: "a form instead of JSON", method: .post, path: "/auth/acme/login", code: "unsupported-media-type",
            status: 415, json: "returnTo=%2F", headers: [.contentType: "application/x-www-form-urlencoded"]),
        .init(
            name: "JSON that says it is text", method: .post, path: "/auth/acme/login", code: "unsupported-media-type",
            status: 415, json: "{}", headers: [.contentType: "text/plain"]),
        .init(
            name: "a body too large", method: .post, path: "/auth/acme/login", code: "too-large", status: 413,
            json: long),
        .init(
            name: "a body too large where none is read", method: .delete, path: "/auth/acme", code: "too-large",
            status: 413, session: true, json: long),
        // Sessions
        .init(name: "no session", method: .get, path: "/auth/session", code: "unauthorized", status: 401),
        .init(
            name: "no session for a token", method: .get, path: "/auth/acme/token", code: "unauthorized", status: 401),
        .init(
            name: "a session that is none", method: .get, path: "/auth/session", code: "unauthorized", status: 401,
            headers: [.authorization: "Bearer nonsense"]),
        .init(
            name: "an unsigned session", method: .get, path: "/auth/session", code: "unauthorized", status: 401,
            headers: [.authorization: "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0."]),
        .init(
            name: "an empty session", method: .get, path: "/auth/session", code: "unauthorized", status: 401,
            headers: [.authorization: "Bearer "]),
        .init(
            name: "a password", method: .get, path: "/auth/session", code: "unauthorized", status: 401,
            headers: [.authorization: "Basic YTpi"]),
        .init(
            name: "a session in the query", method: .get, path: "/auth/session?access_token=x", code: "unauthorized",
            status: 401),
        .init(
            name: "a session cookie where it is not the way", method: .get, path: "/auth/session", code: "unauthorized",
            status: 401, headers: [.cookie: "vault-session=x"]),
        .init(
            name: "linking with a session that is none", method: .post, path: "/auth/acme/login", code: "unauthorized",
            status: 401, headers: [.authorization: "Bearer nonsense"]),
        // Connections
        .init(
            name: "a token of nobody", method: .get, path: "/auth/formal/token", code: "no-connection", status: 404,
            session: true),
        .init(
            name: "a refresh of nobody", method: .post, path: "/auth/formal/refresh", code: "no-connection",
            status: 404, session: true),
        .init(
            name: "a disconnect of nobody", method: .delete, path: "/auth/formal", code: "no-connection", status: 404,
            session: true),
        .init(
            name: "a token of no platform", method: .get, path: "/auth/nobody/token", code: "no-platform", status: 404,
            session: true),
        // Callbacks
        .init(
            name: "a callback without a state", method: .get, path: "/auth/acme/callback?code=x", code: "forbidden",
            status: 403),
        .init(
            name: "a callback with a made-up state", method: .get,
            path: "/auth/acme/callback?code=x&state=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", code: "forbidden",
            status: 403),
        .init(
            name: "a callback badly encoded", method: .get, path: "/auth/acme/callback?state=%zz", code: "bad-request",
            status: 400),
        .init(
            name: "a callback too long", method: .get,
            path: "/auth/acme/callback?state=" + String(repeating: "a", count: 17_000), code: "bad-request", status: 400
        ),
        .init(
            name: "a callback at no platform", method: .get, path: "/auth/nobody/callback?state=a", code: "no-platform",
            status: 404),
        .init(
            name: "a posted callback where it is not the way", method: .post, path: "/auth/acme/callback",
            code: "method-not-allowed", status: 405, json: "{}"),
        .init(
            name: "a posted callback that is no form", method: .post, path: "/auth/formal/callback",
            code: "unsupported-media-type", status: 415, json: "{}"),
        // Codes and origins
        .init(
            name: "a code where it is not the way", method: .post, path: "/auth/session/code", code: "not-found",
            status: 404, json: #"{"code":"x"}"#),
        .init(
            name: "a change by a page of another origin", method: .post, path: "/auth/acme/login", code: "forbidden",
            status: 403, headers: [.origin: "https://evil.example"]),
        .init(
            name: "a change by a page of no origin", method: .delete, path: "/auth/acme", code: "forbidden",
            status: 403, session: true, headers: [.origin: "null"]),
    ]
}

@Suite struct BadRequestTests {
    @Test(arguments: BadRequest.table)
    func isRefusedWithItsCodeAndTouchesNothing(_ bad: BadRequest) async throws {
        let house = try await House()
        try await house.visit { browser async throws in
            let session = try await browser.session()
            browser.jar = [:]
            let before = house.provider.calls
            let answer = try await browser.send(
                bad.method, bad.path, session: bad.session ? session : nil, json: bad.json, headers: bad.headers)
            try answer.expectProblem(bad.code, bad.status)
            if bad.status == 405 { #expect(answer.headers[.allow] != nil) }
            if bad.status == 401 { #expect(answer.headers[.wwwAuthenticate]?.hasPrefix("Bearer") == true) }
            if bad.status == 503 { #expect(answer.headers[.retryAfter] != nil) }
            #expect(answer.headers[.xRequestID] != nil)
            #expect(house.provider.calls == before)
            let me = try await browser.send(.get, "/auth/session", session: session).json
            #expect(me["connections"]?.array?.count == 1)
        }
    }

    @Test func aChallengeNamesAnErrorOnlyToWhoSentSomething() async throws {
        try await House().visit { browser async throws in
            let bare = try await browser.send(.get, "/auth/session")
            #expect(bare.headers[.wwwAuthenticate] == "Bearer")
            let wrong = try await browser.send(.get, "/auth/session", session: "x")
            #expect(wrong.headers[.wwwAuthenticate] == "Bearer error=\"invalid_token\"")
        }
    }

    @Test func allowNamesTheMethodsOfThePath() async throws {
        try await House().visit { browser async throws in
            #expect(try await browser.send(.put, "/auth/session").headers[.allow] == "DELETE, GET")
            #expect(try await browser.send(.get, "/auth/acme").headers[.allow] == "DELETE")
            #expect(try await browser.send(.get, "/auth/session/refresh").headers[.allow] == "POST")
        }
    }

    @Test func whatNobodyForesawIsA500WithoutDetailsAndALogLine() async throws {
        struct Surprise: Error, CustomStringConvertible { var description: String { "the inner reason" } }
        let endpoints = Endpoints(all: [Endpoint(.get, "/surprise") { _, _ in throw Surprise() }])
        let log = LogLines()
        try await Endpoints.serve(endpoints, log.logger) { browser in
            let answer = try await browser.send(.get, "/surprise")
            #expect(answer.status == .internalServerError)
            #expect(try answer.json["code"]?.string == "internal")
            #expect(!answer.text.contains("inner reason"))
            let line = try #require(log.all.first { $0.contains("inner reason") })
            #expect(line.hasPrefix("error "))
            // The answer names the request, and the log line has the same name.
            let instance = try #require(try answer.json["instance"]?.string?.split(separator: ":").last)
            #expect(line.contains(instance))
        }
    }
}
