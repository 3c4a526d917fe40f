import HTTPTypes
import Hummingbird
import HummingbirdCore
import NIOCore
import Testing
import Vault
import VaultBase
import VaultRecords

@testable import VaultHTTP

// What is promised in `openapi.json` and `HTTP-API.md`, held against what is there.

@Suite struct InterfaceTests {
    /// `POST /auth/{platform}/login` of every endpoint there is.
    private func registered(demo: Bool) async throws -> Set<String> {
        var house = try await House()
        house.options.demo = demo
        let parts = try FacadeParts(vault: house.vault, options: house.options, now: house.limits.now)
        return Set(Facade.endpoints(parts).all.map { "\($0.method.rawValue) \($0.path)" })
    }

    private static let methods: Set = ["get", "put", "post", "delete", "options", "head", "patch", "trace"]

    @Test func openAPIDescribesEveryEndpointAndNoOther() async throws {
        let document = try OpenAPI.document.get()
        #expect(document["openapi"]?.string == "3.1.0")
        let paths = try #require(document["paths"])
        var described: Set<String> = []
        for path in paths.keys {
            for method in paths[path]?.keys ?? [] where Self.methods.contains(method) {
                described.insert("\(method.uppercased()) \(path)")
            }
        }
        let registered = try await registered(demo: false)
        #expect(described == registered)
    }

    /// What can happen to every request, and to none of those that other tests send.
    @Test(arguments: [HTTPField(name: .contentLength, value: "65537"), nil])
    func openAPIDescribesWhatAnyRequestMayGet(field: HTTPField?) async throws {
        let store = FaultyStore()
        let house = try await House(store: store)
        let key = try await house.vault.createServiceKey(
            ServiceWish(
                name: "all", actions: ServiceKey.Action.allCases.map(\.rawValue), platforms: [], lifetime: nil)
        ).token.reveal()
        let paths = try #require(try OpenAPI.document.get()["paths"])
        try await house.visit { browser async throws in
            let session = try await browser.session()
            let me = try await browser.send(.get, "/auth/session", session: session)
            let user = try #require(try me.json["user"]?.string)
            for fault in field == nil ? [VaultError.Code.full, .unavailable] : [.full] {
                if field == nil { store.fail(with: VaultError(fault, "the store does not work")) }
                for path in paths.keys.sorted() {
                    for method in paths[path]?.keys ?? [] where Self.methods.contains(method) {
                        let uri = path.replacing("{platform}", with: "acme").replacing("{userId}", with: user)
                            .replacing("{state}", with: "x")
                        var headers = HTTPFields()
                        if let field { headers.append(field) }
                        // Browser holds the answer against the document.
                        let answer = try await browser.send(
                            try #require(HTTPRequest.Method(method.uppercased())), uri,
                            session: path.hasPrefix("/v1") ? key : session,
                            json: method == "put" && field == nil ? #"{"accessToken":"A","subject":"s"}"# : nil,
                            headers: headers)
                        if field != nil { try answer.expectProblem("too-large", 413, "\(method) \(path)") }
                        if fault == .unavailable, path == "/auth/session" {
                            try answer.expectProblem("unavailable", 503, "\(method) \(path)")
                        }
                    }
                }
                store.fail(with: nil)
            }
        }
    }

    /// The measure has to measure.
    @Test func theDocumentIsComparedWithAnswers() throws {
        func complaint(_ status: HTTPResponse.Status, _ type: String, _ body: String = "x") throws -> String? {
            let answer = Answer(status: status, headers: [.contentType: type], body: .init(string: body))
            return try OpenAPI.complaint(answer, to: .get, "/auth/acme/callback?code=x")
        }
        let problem = "application/problem+json"
        #expect(try complaint(.forbidden, problem) == nil)
        #expect(try complaint(.forbidden, "text/html; charset=utf-8") == nil)
        let name = "GET /auth/{platform}/callback answers with"
        #expect(try complaint(.forbidden, "text/plain") == "\(name) 403 as text/plain")
        #expect(try complaint(.init(code: 418), problem) == "\(name) 418")
        #expect(try complaint(.seeOther, "text/plain", "") == nil)
    }

    @Test func openAPIKnowsEveryCode() throws {
        let codes = try #require(try OpenAPI.schema("Problem")["properties"]?["code"]?["enum"]?.array)
        #expect(Set(codes.compactMap(\.string)) == Set(Problem.kinds.map(\.code.name)))
    }

    @Test(
        .enabled(
            if: Shell.can("python3 -c 'import openapi_spec_validator'"),
            "the Python package openapi-spec-validator is not installed"))
    func openAPIIsWellFormed() async throws {
        let checked = try await Shell.run(
            "cp /dev/stdin openapi.json && python3 -m openapi_spec_validator openapi.json", input: OpenAPI.text)
        #expect(checked.status == 0, "\(checked.output)")
    }

    @Test func thePageHasEveryEndpoint() async throws {
        let page = try packageFile("Sources/Vault/Documentation.docc/HTTP-API.md")
        let headings = page.split(separator: "\n").filter { $0.hasPrefix("### ") }.map { $0.dropFirst(4) }
        let described = Set(headings.filter { $0.contains(" /") }.map(String.init))
        let registered = try await registered(demo: false)
        #expect(described == registered)
        for endpoint in try await self.registered(demo: true) where endpoint.hasPrefix("GET") {
            #expect(page.contains("`\(endpoint)`") || page.contains("### \(endpoint)\n"), "\(endpoint)")
        }
        for path in ["/metrics", "/healthz", "/readyz"] { #expect(page.contains("`GET \(path)`")) }
    }

    @Test func thePageHasEveryCodeWithItsStatus() throws {
        let page = try packageFile("Sources/Vault/Documentation.docc/HTTP-API.md")
        var described: [String: Int] = [:]
        for line in page.split(separator: "\n") where line.hasPrefix("| `") {
            let cells = line.split(separator: "|").map { $0.split(separator: " ").joined(separator: " ") }
            guard cells.count == 4, let status = Int(cells[1]) else { continue }
            described[cells[0].replacing("`", with: "")] = status
            #expect(!cells[2].isEmpty && !cells[3].isEmpty)
        }
        #expect(described == Dictionary(uniqueKeysWithValues: Problem.kinds.map { ($0.code.name, $0.status.code) }))
    }

    @Test func anErrorOfAnyOtherCodeTellsNothing() {
        for code: VaultError.Code in [.damaged, .wrongKey, .locked, .noStore, .newerFormat, .settings, .file] {
            let problem = Problem(VaultError(code, "the file /secret/place", hint: "look at /secret/place"))
            #expect(problem.kind.status == .internalServerError)
            let answer = problem.response(requestID: "1")
            #expect(answer.headers[.contentType] == "application/problem+json")
        }
    }

    @Test func aNameThatIsAPathOfOursIsRefused() async throws {
        let house = try await House()
        #expect(FacadeParts.reserved == ["platforms", "session"])
        let literals = Facade.endpoints(
            try FacadeParts(vault: house.vault, options: house.options, now: house.limits.now)
        ).all.compactMap { endpoint -> String? in
            let parts = endpoint.path.split(separator: "/")
            return parts.count > 1 && parts[0] == "auth" && !parts[1].hasPrefix("{") ? String(parts[1]) : nil
        }
        #expect(Set(literals) == FacadeParts.reserved)
    }
}

@Suite struct OptionsTests {
    @Test(arguments: ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
    func plainHTTPIsServedOnLoopback(_ host: String) throws {
        var options = Facade.Options()
        options.host = host
        try options.check()
    }

    @Test(arguments: ["0.0.0.0", "::", "192.0.2.1", "api.example.com", "127.0.0.1.example"])
    func plainHTTPElsewhereNeedsAProxy(_ host: String) throws {
        var options = Facade.Options()
        options.host = host
        let error = #expect(throws: VaultError.self) { try options.check() }
        #expect(error?.code == .settings)
        #expect(error?.hint?.contains("trusted-proxies") == true)
        options.trustedProxies = ["10.0.0.0/8"]
        try options.check()
    }
}
