import VaultBase

/// A provider in memory that answers as one description says it would: its members stand where the description's
/// paths lead.
struct SimulatedProvider {
    static let state = "state-5Qy1vZ", challenge = "challenge-wX8", verifier = "verifier-k2Lm", nonce = "nonce-Zp7",
        code = "code-7hQ2", access = "access-mT5x", refresh = "refresh-Rw9c", secret = "secret-uB4n",
        client = "client-1c", clientToken = "client-token-eS6",
        subject = "account-1"
    static let now = Timestamp(seconds: 1_800_000_000)

    let engine: FlowEngine
    private var description: ProviderDescription { engine.platform.provider.description }

    /// What is not given is left out.
    func tokens(
        access: JSONValue? = .string(Self.access), refresh: JSONValue? = nil, expires: JSONValue? = .number("3600"),
        scope: JSONValue? = nil
    ) -> JSONValue {
        var body = JSONValue.object(["token_type": .string("Bearer")])
        if let access { body.put(access, at: description.response.accessToken) }
        if let refresh { body.put(refresh, at: description.response.refreshToken) }
        if let scope { body.put(scope, at: description.response.scope) }
        if let expires, let first = description.response.expiresIn.first {
            body.put(expires, at: first.split(separator: ".").map(String.init))
        }
        switch description.accountID {
        case .tokenResponse(let path): body.put(.string(Self.subject), at: path)
        case .idTokenSubject: body.put(.string(idToken), at: description.response.idToken)
        case .profile, .minted: break
        }
        return body
    }

    /// Without an id when there is none given.
    func profile(id: JSONValue?) -> JSONValue {
        var body = JSONValue.object(["country": .string("NO")])
        if !description.displayNamePath.isEmpty { body.put(.string("Ada"), at: description.displayNamePath) }
        if case .profile(let path) = description.accountID {
            // A path for the name may be the one for the id.
            body.put(id ?? .null, at: path)
        }
        return body
    }

    private var idToken: String {
        let now = Self.now.seconds
        let claims = JSONValue.object([
            "iss": .string(engine.issuer), "aud": .string(Self.client), "sub": .string(Self.subject),
            "nonce": .string(Self.nonce), "iat": .number("\(now)"), "exp": .number("\(now + 600)"),
        ])
        return [#"{"alg":"RS256"}"#, claims.rendered, "signature"].map { Base64.encodeURL(Array($0.utf8)) }
            .joined(separator: ".")
    }

    /// Where endpoints come by discovery, the metadata that names them.
    static func metadata(_ engine: FlowEngine) -> JSONValue {
        let host = WebAddress(engine.issuer)?.host
        let base = "https://\(host.flatMap { engine.hosts.contains($0) ? $0 : nil } ?? engine.hosts.min() ?? "invalid")"
        return .object([
            "issuer": .string(engine.issuer), "authorization_endpoint": .string("\(base)/authorize"),
            "token_endpoint": .string("\(base)/token"), "revocation_endpoint": .string("\(base)/revoke"),
            "userinfo_endpoint": .string("\(base)/userinfo"),
            "code_challenge_methods_supported": .array([.string("S256")]),
            "token_endpoint_auth_methods_supported": .array([
                .string("client_secret_basic"), .string("client_secret_post"),
            ]),
        ])
    }

    static func answer(
        _ status: Int, _ body: String, type: String = "application/json",
        _ headers: [(name: String, value: String)] = []
    ) -> ProviderAnswer {
        ProviderAnswer(status: status, headers: [("Content-Type", type)] + headers, body: Array(body.utf8))
    }

    static func answer(_ status: Int, _ body: JSONValue) -> ProviderAnswer { answer(status, body.rendered) }
}

extension JSONValue {
    /// Puts a value where `at` finds it again: of alternatives under the first name, in an array for a number.
    mutating func put(_ value: JSONValue, at path: [String]) {
        guard let step = path.first?.split(separator: "|").first.map(String.init) else {
            self = value
            return
        }
        let rest = Array(path.dropFirst())
        if let index = Int(step), (0..<64).contains(index) {
            var values: [JSONValue] = if case .array(let values) = self { values } else { [] }
            while values.count <= index { values.append(.null) }
            values[index].put(value, at: rest)
            self = .array(values)
        } else {
            var members: [String: JSONValue] = if case .object(let members) = self { members } else { [:] }
            var child = members[step] ?? .null
            child.put(value, at: rest)
            members[step] = child
            self = .object(members)
        }
    }

    /// As text, its members in order of name.
    var rendered: String {
        switch self {
        case .null: "null"
        case .bool(let value): "\(value)"
        case .number(let digits): digits
        case .string(let text): Self.quote(text)
        case .array(let values): "[\(values.map(\.rendered).joined(separator: ","))]"
        case .object(let members):
            "{"
                + members.sorted { $0.key < $1.key }.map { "\(Self.quote($0.key)):\($0.value.rendered)" }
                .joined(separator: ",") + "}"
        }
    }
}
