import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import Synchronization
import Testing

@testable import VaultHTTP

/// A browser as far as tests need one: sends requests, keeps cookies.
final class Browser: Sendable {
    private let client: any TestClientProtocol
    private let cookies = Mutex<[String: String]>([:])

    private let isPublic: Bool

    /// - Parameter isPublic: whether it is before the facade, whose every answer is held against `openapi.json`.
    init(client: any TestClientProtocol, isPublic: Bool = true) {
        self.client = client
        self.isPublic = isPublic
    }

    /// Another browser at the same server.
    func stranger() -> Browser { Browser(client: client) }

    var jar: [String: String] {
        get { cookies.withLock { $0 } }
        set { cookies.withLock { $0 = newValue } }
    }

    func send(
        _ method: HTTPRequest.Method, _ uri: String, session: String? = nil, json: String? = nil,
        headers: HTTPFields = [:], body: ByteBuffer? = nil
    ) async throws -> Answer {
        var headers = headers
        if let session { headers[.authorization] = "Bearer \(session)" }
        if json != nil, headers[.contentType] == nil { headers[.contentType] = "application/json" }
        let jar = jar
        if !jar.isEmpty, headers[.cookie] == nil {
            headers[.cookie] = jar.map { "\($0.key)=\($0.value)" }.joined(separator: "; ")
        }
        let response = try await client.executeRequest(
            uri: uri, method: method, headers: headers, body: body ?? json.map { ByteBuffer(string: $0) })
        let answer = Answer(status: response.status, headers: response.headers, body: response.body)
        for line in response.headers[values: .setCookie] { keep(line) }
        // Whatever a test tries: nothing comes that the document does not say.
        if isPublic, let complaint = try OpenAPI.complaint(answer, to: method, uri) { Issue.record("\(complaint)") }
        return answer
    }

    private func keep(_ line: String) {
        guard let pair = line.split(separator: ";").first, let equals = pair.firstIndex(of: "=") else { return }
        let (name, value) = (String(pair[..<equals]), String(pair[pair.index(after: equals)...]))
        cookies.withLock { $0[name] = line.contains("Max-Age=0;") ? nil : value }
    }

    // MARK: The flow

    /// Begins a login and returns the callback's URI as the provider would send the browser to it.
    func begin(_ platform: String = "acme", session: String? = nil, json: String? = nil) async throws -> String {
        let start = try await send(.post, "/auth/\(platform)/login", session: session, json: json)
        try #require(start.status == .ok, "\(start.text)")
        let url = try #require(try start.json["authorizationUrl"]?.string)
        let query = try FormParameters.parse(String(url.split(separator: "?", maxSplits: 1)[1]))
        let state = try #require(query.first { $0.name == "state" }?.value)
        return "/auth/\(platform)/callback?code=the-code&state=\(state)"
    }

    /// Logs in and returns what stands in the fragment.
    func login(_ platform: String = "acme", session: String? = nil) async throws -> [String: String] {
        let callback = try await begin(platform, session: session)
        let answer = try await send(.get, callback)
        try #require(answer.status == .seeOther, "\(answer.text)")
        return try answer.fragment
    }

    /// Logs in and returns the session.
    func session(_ platform: String = "acme") async throws -> String {
        try #require(try await login(platform)["session"])
    }
}

struct Answer: Sendable {
    var status: HTTPResponse.Status
    var headers: HTTPFields
    var body: ByteBuffer

    var text: String { String(buffer: body) }
    var json: JSONValue { get throws { try JSONValue(body) } }

    /// What a 303 carries behind the `#`.
    var fragment: [String: String] {
        get throws {
            let location = try #require(headers[.location])
            let hash = try #require(location.firstIndex(of: "#"))
            let parameters = try FormParameters.parse(String(location[location.index(after: hash)...]))
            return Dictionary(uniqueKeysWithValues: parameters.map { ($0.name, $0.value) })
        }
    }

    /// Expects problem+json of that code and its status, with all that every problem has.
    func expectProblem(
        _ code: String, _ status: Int, _ comment: Comment? = nil, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        #expect(self.status.code == status, comment, sourceLocation: sourceLocation)
        #expect(headers[.contentType] == "application/problem+json", comment, sourceLocation: sourceLocation)
        #expect(headers[.cacheControl] == "no-store", comment, sourceLocation: sourceLocation)
        let problem = try json
        #expect(problem["code"]?.string == code, comment, sourceLocation: sourceLocation)
        #expect(problem["status"]?.number == Double(status), comment, sourceLocation: sourceLocation)
        #expect(problem["type"]?.string == "urn:vault:problem:\(code)", comment, sourceLocation: sourceLocation)
        for member in ["title", "detail", "instance"] {
            let value = problem[member]?.string ?? ""
            #expect(!value.isEmpty, comment, sourceLocation: sourceLocation)
        }
    }
}
