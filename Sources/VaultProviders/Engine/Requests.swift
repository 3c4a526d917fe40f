public import VaultBase

extension FlowEngine {
    /// The URL the browser goes to. `challenge` is S256 of the verifier (RFC 7636 §4.2).
    ///
    /// - Throws: `settings` when the platform lacks an endpoint, `internal` when PKCE is required and there is no
    ///   challenge: there is no falling back (RFC 9700 §4.8).
    public func authorizationURL(
        state: String, challenge: String?, nonce: String?, scopes: [String]
    ) async throws(VaultError) -> String {
        if description.pkce == .required, challenge == nil {
            throw VaultError(.internal, "platform \(platform.name) requires PKCE and no challenge was given")
        }
        var parameters = Parameters(self, .authorize)
        parameters.add("response_type", "code")
        parameters.add("client_id", platform.clientID)
        parameters.add("redirect_uri", redirectURI(carrying: state))
        if !scopes.isEmpty { parameters.add("scope", scopes.joined(separator: description.scopeSeparator)) }
        if description.stateCarrier == .parameter { parameters.add("state", state) }
        if let challenge, usesPKCE {
            parameters.add("code_challenge", challenge)
            parameters.add("code_challenge_method", "S256")
        }
        if let nonce { parameters.add("nonce", nonce) }
        parameters.add(fixed: description.authorizeParameters.mapValues(Self.withConnection))
        let url = try address(description.endpoints.authorize, "authorize", query: parameters.pairs)
        let request = ProviderRequest(method: "GET", url: url)
        return try await prepared(request, .authorize, scope: scopes.joined(separator: " ")).url
    }

    /// `{connection.uuid}` is a UUID of its own for every consent (RFC 9562 §5.4): some providers want to tell the
    /// grants of one user apart, as devices.
    private static func withConnection(_ value: String) -> String {
        guard value.contains("{connection.uuid}") else { return value }
        var bytes = (0..<16).map { _ in UInt8.random(in: .min ... .max) }
        bytes[6] = bytes[6] & 0x0F | 0x40
        bytes[8] = bytes[8] & 0x3F | 0x80
        let text = Hex.encode(bytes)
        var groups: [Substring] = []
        var rest = text[...]
        for count in [8, 4, 4, 4, 12] {
            groups.append(rest.prefix(count))
            rest = rest.dropFirst(count)
        }
        return value.split(separator: "{connection.uuid}", omittingEmptySubsequences: false)
            .joined(separator: groups.joined(separator: "-"))
    }

    /// Redeems a code (RFC 6749 §4.1.3, RFC 7636 §4.5).
    ///
    /// - Parameter state: needed where the state travels in the redirect URI, which must be the same here as it was
    ///   at the authorize endpoint.
    public func tokenRequest(
        code: String, verifier: Secret?, scope: String, state: String? = nil
    ) async throws(VaultError) -> ProviderRequest {
        var parameters = Parameters(self, .exchange)
        parameters.add("grant_type", "authorization_code")
        parameters.add("code", code)
        parameters.add("redirect_uri", redirectURI(carrying: state))
        if let verifier, usesPKCE { parameters.add("code_verifier", verifier.reveal()) }
        if description.sendsScopeOnTokenRequests, !scope.isEmpty { parameters.add("scope", wire(scope)) }
        parameters.add(fixed: description.tokenParameters)
        let request = try request(.exchange, description.endpoints.token, parameters, method: "POST", encoding: .form)
        return try await prepared(request, .exchange, scope: scope)
    }

    /// Redeems a refresh token (RFC 6749 §6). The scope is never widened: it is the granted one, or absent.
    public func refreshRequest(refreshToken: Secret, scope: String) async throws(VaultError) -> ProviderRequest {
        var parameters = Parameters(self, .refresh)
        parameters.add("grant_type", "refresh_token")
        parameters.add("refresh_token", refreshToken.reveal())
        if description.sendsScopeOnTokenRequests, !scope.isEmpty { parameters.add("scope", wire(scope)) }
        parameters.add(fixed: description.refreshParameters)
        let endpoint =
            description.endpoints.refresh.isEmpty ? description.endpoints.token : description.endpoints.refresh
        let request = try request(.refresh, endpoint, parameters, method: "POST", encoding: .form)
        return try await prepared(request, .refresh, scope: scope)
    }

    /// Asks for the client's own token (RFC 6749 §4.4.2). A refresh token that came with the last one is not used: the
    /// client can always ask anew (§4.4.3).
    public func clientCredentialsRequest(scope: String) async throws(VaultError) -> ProviderRequest {
        var parameters = Parameters(self, .exchange)
        parameters.add("grant_type", "client_credentials")
        if !scope.isEmpty { parameters.add("scope", wire(scope)) }
        parameters.add(fixed: description.tokenParameters)
        let request = try request(.exchange, description.endpoints.token, parameters, method: "POST", encoding: .form)
        return try await prepared(request, .exchange, scope: scope)
    }

    /// nil when the account is known from the tokens alone.
    public func profileRequest(accessToken: Secret) async throws(VaultError) -> ProviderRequest? {
        guard case .profile = description.accountID else { return nil }
        return try await apiRequest(.profile, description.endpoints.profile, accessToken)
    }

    /// The duty of some platforms to ask now and then whether a token still holds; nil where there is none.
    public func validateRequest(accessToken: Secret) async throws(VaultError) -> ProviderRequest? {
        guard !description.endpoints.validate.isEmpty else { return nil }
        return try await apiRequest(.validate, description.endpoints.validate, accessToken)
    }

    private func apiRequest(_ stage: Stage, _ endpoint: String, _ accessToken: Secret) async throws(VaultError)
        -> ProviderRequest
    {
        let request = try request(
            stage, endpoint, Parameters(self, stage), method: "GET", encoding: .none, authentication: .accessToken,
            accessToken: accessToken)
        return try await prepared(request, stage, scope: "")
    }

    /// A constant of the configuration, except where the provider echoes no `state`: then it carries the state.
    private func redirectURI(carrying state: String?) -> String {
        let uri = platform.redirectURI
        guard let state else { return uri }
        return switch description.stateCarrier {
        case .parameter: uri
        case .redirectQuery: "\(uri)\(uri.contains("?") ? "&" : "?")state=\(FormText.escape(state))"
        case .redirectPath: "\(uri)\(uri.hasSuffix("/") ? "" : "/")\(FormText.escape(state, spaceAsPlus: false))"
        }
    }

    private func wire(_ scope: String) -> String {
        scope.split(separator: " ").joined(separator: description.scopeSeparator)
    }

    // MARK: Putting a request together

    func address(_ endpoint: String, _ name: String, query: [(name: String, value: String)]) throws(VaultError)
        -> String
    {
        guard !endpoint.isEmpty, !endpoint.contains("{") else {
            throw VaultError(
                .settings, "platform \(platform.name) has no \(name) endpoint",
                hint: "set \(name) or issuer in [platforms.\(platform.name)], as its provider needs")
        }
        try policy.check(endpoint)
        guard !query.isEmpty else { return endpoint }
        // %20 and not +: some authorize pages read the query with a percent decoder alone.
        return "\(endpoint)\(endpoint.contains("?") ? "&" : "?")\(FormText.encode(query, spaceAsPlus: false))"
    }

    func request(
        _ stage: Stage, _ endpoint: String, _ parameters: Parameters, method: String,
        encoding: ProviderDescription.RequestShape.Encoding,
        authentication: ProviderDescription.RequestShape.Authentication = .client, accessToken: Secret? = nil
    ) throws(VaultError) -> ProviderRequest {
        let shape = description.requests[stage.key]
        let encoding = shape?.encoding ?? (shape?.method == "GET" ? .query : encoding)
        var parameters = parameters
        var headers: [(name: String, value: String)] = [("Accept", "application/json"), ("User-Agent", "vault")]

        switch shape?.authentication ?? authentication {
        case .none: break
        case .client: authenticate(description.clientAuthentication, &parameters, &headers)
        case .basic: authenticate(.basic, &parameters, &headers)
        case .accessToken:
            switch description.apiAuthentication {
            case .header(let name, let prefix): headers.append((name, prefix + (accessToken?.reveal() ?? "")))
            case .query(let name): parameters.inURL.append((name, accessToken?.reveal() ?? ""))
            }
            headers += description.apiHeaders.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
            if let client = try clientToken() { headers.append(("Authorization", "Bearer \(client.token.reveal())")) }
        }

        var query = parameters.inURL
        var body: [UInt8] = []
        switch encoding {
        case .none: break
        case .query: query = parameters.pairs + query
        case .form:
            headers.append(("Content-Type", "application/x-www-form-urlencoded"))
            body = Array(FormText.encode(parameters.pairs).utf8)
        case .json:
            headers.append(("Content-Type", "application/json"))
            body = JSONValue.encode(parameters.pairs)
        }
        for (name, value) in (shape?.headers ?? [:]).sorted(by: { $0.key < $1.key }) {
            headers.removeAll { $0.name.lowercased() == name.lowercased() }
            headers.append((name, value))
        }
        return ProviderRequest(
            method: shape?.method ?? method, url: try address(endpoint, stage.key, query: query), headers: headers,
            body: body)
    }

    /// Exactly one method per request (RFC 6749 §2.3). Without a secret we are a public client and only say who we are.
    private func authenticate(
        _ method: ProviderDescription.ClientAuthentication, _ parameters: inout Parameters,
        _ headers: inout [(name: String, value: String)]
    ) {
        guard let secret = platform.clientSecret, !secret.isEmpty, method != .none else {
            return parameters.add("client_id", platform.clientID)
        }
        if method == .basic {
            // Each half is form-urlencoded before they are joined (RFC 6749 §2.3.1): a colon or a percent sign in a
            // secret would change its meaning otherwise.
            let pair = "\(FormText.escape(platform.clientID)):\(FormText.escape(secret.reveal()))"
            headers.append(("Authorization", "Basic \(Base64.encode(Array(pair.utf8)))"))
        } else {
            parameters.add("client_id", platform.clientID)
            parameters.add("client_secret", secret.reveal())
        }
    }
}

/// Parameters of one request, in order, under the names this provider gives them.
struct Parameters {
    private(set) var pairs: [(name: String, value: String)] = []
    /// What goes into the URL whatever the encoding.
    var inURL: [(name: String, value: String)] = []
    private let stage: FlowEngine.Stage
    private let names: [String: String]

    init(_ engine: FlowEngine, _ stage: FlowEngine.Stage) {
        self.stage = stage
        names = engine.description.names
    }

    /// Adds a parameter by its name in the standard; one that this provider omits is left out.
    mutating func add(_ logical: String, _ value: String) {
        let name = names["\(stage.key).\(logical)"] ?? names[logical] ?? logical
        guard !name.isEmpty else { return }
        pairs.append((name, value))
    }

    /// Adds what the description always sends; it never replaces or repeats what the flow itself sends
    /// (RFC 6749 §3.1: parameters must not repeat).
    mutating func add(fixed: [String: String]) {
        for (name, value) in fixed.sorted(by: { $0.key < $1.key }) where !pairs.contains(where: { $0.name == name }) {
            pairs.append((name, value))
        }
    }
}
