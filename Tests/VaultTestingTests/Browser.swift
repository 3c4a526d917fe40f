import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import NIOCore
import Synchronization
import Testing
import VaultBase
import VaultCrypto
import VaultTesting

#if canImport(FoundationEssentials)
    import FoundationEssentials
#endif

/// A client and a browser in one: what the tests drive the sandbox with.
struct Browser {
    let client: any TestClientProtocol
    let control: Sandbox.Control
    static let redirectURI = "http://127.0.0.1:8000/auth/sandbox/callback"
    static let verifier = "a-verifier-of-at-least-forty-three-characters"
    static let challenge = Base64.encodeURL(Digest.sha256(Array(verifier.utf8)))
    static let basic = "Basic " + Base64.encode(Array("sandbox:sandbox-secret".utf8))

    /// The parameters of a good authorization request.
    static let request = [
        "response_type": "code", "client_id": "sandbox", "redirect_uri": redirectURI, "scope": "profile music",
        "state": "the-state", "code_challenge": challenge, "code_challenge_method": "S256",
    ]

    func authorize(_ changes: [String: String?] = [:]) async throws -> Answer {
        var parameters = Self.request
        for (name, value) in changes { parameters[name] = value }
        return try await get("/authorize?" + Self.form(parameters.map { ($0.key, $0.value) }))
    }

    /// Through both pages; the answer is the redirect.
    func consent(as user: String = "ada", scopes: [String] = ["profile", "music"], decision: String = "allow")
        async throws -> Answer
    {
        let page = try await authorize()
        let login = try await post("/authorize/login", [("request", page.request), ("user", user)])
        let chosen = scopes.map { ("scope", $0) }
        return try await post("/authorize/consent", [("request", login.request), ("decision", decision)] + chosen)
    }

    /// A code of a finished consent.
    func code(as user: String = "ada", scopes: [String] = ["profile", "music"]) async throws -> String {
        try #require(try await consent(as: user, scopes: scopes).parameters["code"])
    }

    func redeem(_ code: String, _ changes: [String: String?] = [:]) async throws -> Answer {
        var parameters = [
            "grant_type": "authorization_code", "code": code, "redirect_uri": Self.redirectURI,
            "code_verifier": Self.verifier,
        ]
        for (name, value) in changes { parameters[name] = value }
        return try await post("/token", parameters.map { ($0.key, $0.value) }, authorization: Self.basic)
    }

    func refresh(_ token: String, _ more: [String: String] = [:]) async throws -> Answer {
        let parameters = ["grant_type": "refresh_token", "refresh_token": token].merging(more) { $1 }
        return try await post("/token", parameters.map { ($0.key, $0.value) }, authorization: Self.basic)
    }

    func userinfo(_ accessToken: String) async throws -> Answer {
        try await get("/userinfo", headers: [.authorization: "Bearer \(accessToken)"])
    }

    func get(_ uri: String, headers: HTTPFields = [:]) async throws -> Answer {
        Answer(try await client.execute(uri: uri, method: .get, headers: headers) { $0 })
    }

    func post(_ uri: String, _ parameters: [(String, String)], authorization: String? = nil) async throws -> Answer {
        var headers: HTTPFields = [.contentType: "application/x-www-form-urlencoded"]
        headers[.authorization] = authorization
        let body = ByteBuffer(string: Self.form(parameters))
        return Answer(try await client.execute(uri: uri, method: .post, headers: headers, body: body) { $0 })
    }

    func postJSON(_ uri: String, _ json: String, type: String = "application/json") async throws -> Answer {
        let body = ByteBuffer(string: json)
        return Answer(
            try await client.execute(uri: uri, method: .post, headers: [.contentType: type], body: body) { $0 })
    }

    static func form(_ parameters: [(String, String)]) -> String {
        parameters.map { "\($0.0)=\(encode($0.1))" }.joined(separator: "&")
    }

    private static func encode(_ text: String) -> String {
        text.utf8.map { byte in
            let character = Character(Unicode.Scalar(byte))
            return character.isLetter || character.isNumber || "-._~".contains(character)
                ? String(character) : "%" + Hex.encode([byte]).uppercased()
        }.joined()
    }
}

/// An answer, read the ways the tests need it.
struct Answer {
    let status: Int
    let headers: HTTPFields
    let body: String

    init(_ response: TestResponse) {
        status = response.status.code
        headers = response.headers
        body = String(buffer: response.body)
    }

    /// The members of a JSON object; numbers as text.
    var json: [String: String] {
        struct Loose: Decodable {
            let text: String
            init(from decoder: any Decoder) throws {
                let value = try decoder.singleValueContainer()
                if let string = try? value.decode(String.self) {
                    text = string
                } else if let number = try? value.decode(Int64.self) {
                    text = String(number)
                } else {
                    text = "?"
                }
            }
        }
        let members = try? JSONDecoder().decode([String: Loose].self, from: Data(body.utf8))
        return (members ?? [:]).mapValues(\.text)
    }

    /// The query of the place a redirect leads to.
    var parameters: [String: String] {
        let query = (headers[.location] ?? "").split(separator: "?", maxSplits: 1).dropFirst().first ?? ""
        let pairs = query.split(separator: "&").map { pair in
            let parts = pair.split(separator: "=", maxSplits: 1)
            return (String(parts[0]), parts.count > 1 ? Self.decode(parts[1]) : "")
        }
        return Dictionary(pairs) { $1 }
    }

    /// The hidden field that carries the request from page to page.
    var request: String {
        guard let start = body.firstRange(of: #"name="request" value=""#)?.upperBound else { return "" }
        return String(body[start...].prefix { $0 != "\"" })
    }

    private static func decode(_ text: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            if byte == 0x25, let decoded = Hex.decode(String(decoding: rest.prefix(2), as: UTF8.self)) {
                bytes += decoded
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// A clock that a test moves.
final class HandClock: WallClock {
    private let time = Mutex(Timestamp(seconds: 1_700_000_000))
    func now() -> Timestamp { time.withLock { $0 } }
    func advance(_ duration: Duration) { time.withLock { $0 = $0 + duration } }
}

/// Runs a sandbox of its own for one test.
func withSandbox(
    live: Bool = false, _ change: (inout Sandbox.Options) -> Void = { _ in },
    _ test: @escaping @Sendable (Browser) async throws -> Void
) async throws {
    var options = Sandbox.Options()
    options.port = 0
    options.issuer = "http://127.0.0.1:8002"
    change(&options)
    var logger = Logger(label: "sandbox")
    logger.logLevel = .critical
    let sandbox = Sandbox(options: options, logger: logger)
    let control = sandbox.control
    try await sandbox.application().test(live ? .live : .router) { client in
        try await test(Browser(client: client, control: control))
    }
}
