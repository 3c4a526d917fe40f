public import VaultBase

extension FlowEngine {
    /// The account, from the profile's answer, the ID token or the token response, as the description says.
    ///
    /// The claims of an ID token are checked whenever there is one and an issuer to check it with (OpenID Connect Core
    /// §3.1.3.7); any failure drops the tokens. A profile that names another `sub` than the ID token is not this
    /// account's (§5.3.2).
    /// - Parameter nonce: what the login sent, when it sent one.
    public func account(
        tokens: TokenGrant, profile: ProviderAnswer?, nonce: String?, now: Timestamp
    ) async throws(ProviderFailure) -> Account {
        var claims: IDTokenClaims?
        if let text = tokens.idToken, description.accountID == .idTokenSubject || nonce != nil {
            claims = try IDTokenClaims(text, engine: self, nonce: nonce, now: now)
        }
        var body: AnswerBody?
        if let profile {
            let answer = try await parsed(profile, .profile, now: now)
            let decoded = AnswerBody(answer)
            guard (200..<300).contains(answer.status), !decoded.hasError, case .object = decoded else {
                throw classify(answer, .profile, now: now)
            }
            body = decoded
        }
        if let claims, let subject = body?.at(["sub"])?.text, subject != claims.subject {
            throw ProviderFailure(failure: .restartLogin, code: "subject-mismatch")
        }

        let subject: String?
        switch description.accountID {
        case .profile(let path): subject = body?.at(path)?.text
        case .tokenResponse: subject = tokens.subject
        case .idTokenSubject: subject = claims?.subject
        case .minted:
            // No account id is to be had: the connection gets one of its own, and no two are ever the same account.
            subject = "minted-" + Hex.encode((0..<16).map { _ in UInt8.random(in: .min ... .max) })
        }
        guard let subject, subject.utf8.count <= 255,
            !subject.unicodeScalars.contains(where: { $0.value < 0x20 || $0 == "\u{7F}" })
        else { throw ProviderFailure(failure: .operatorAction, code: "no-account-id") }
        return Account(subject: subject, displayName: displayName(body, claims))
    }

    /// Reads the answer to ``validateRequest(accessToken:)``; returns when the token still holds: a 2xx with a JSON
    /// object that names no error, or 204. A page with 200 comes from something in front of the platform, which knows
    /// no tokens.
    ///
    /// - Throws: class `reconnect` when it does not (401); the others as for tokens.
    public func readValidation(_ answer: ProviderAnswer, now: Timestamp) async throws(ProviderFailure) {
        let answer = try await parsed(answer, .validate, now: now)
        let body = AnswerBody(answer)
        switch body {
        case .empty where answer.status == 204: return
        case .object where (200..<300).contains(answer.status) && !body.hasError: return
        default: throw classify(answer, .validate, now: now)
        }
    }

    private func displayName(_ body: AnswerBody?, _ claims: IDTokenClaims?) -> String? {
        let path = description.displayNamePath
        let text = path.isEmpty ? claims?.name : body?.at(path)?.text ?? claims?.json.at(path)?.text
        guard let text else { return nil }
        var name = ""
        name.unicodeScalars.append(
            contentsOf: text.unicodeScalars.filter { $0.value >= 0x20 && !(0x7F...0x9F).contains($0.value) }.prefix(100)
        )
        return name.isEmpty ? nil : name
    }
}

/// The claims of an ID token that came straight from the token endpoint.
///
/// Its signature is not verified, and need not be: the token was fetched by us over TLS from the endpoint of its
/// issuer, whose certificate says who it is (OpenID Connect Core §3.1.3.7, item 6). One that came any other way must
/// never be read here.
struct IDTokenClaims {
    let subject: String
    let json: JSONValue
    var name: String? { json.at(["name"])?.text }

    /// Clocks may differ by this much, in seconds.
    private static let skew: Int64 = 60

    init(_ token: String, engine: FlowEngine, nonce: String?, now: Timestamp) throws(ProviderFailure) {
        func fault(_ claim: String) -> ProviderFailure {
            ProviderFailure(failure: .restartLogin, code: "id-token-\(claim)")
        }
        let parts = token.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let bytes = Base64.decode(parts[1]), let json = JSONValue(bytes), json.isObject else {
            throw fault("form")
        }
        guard case .string(let issuer)? = json.at(["iss"]),
            issuer == engine.issuer || engine.platform.provider.description.issuerAliases.contains(issuer)
        else { throw fault("iss") }

        let client = engine.platform.clientID
        switch json.at(["aud"]) {
        case .string(let audience): guard audience == client else { throw fault("aud") }
        case .array(let audiences):
            guard audiences.contains(.string(client)) else { throw fault("aud") }
            if audiences.count > 1, json.at(["azp"]) == nil { throw fault("azp") }
        default: throw fault("aud")
        }
        if let party = json.at(["azp"]), party != .string(client) { throw fault("azp") }

        guard let end = Self.time(json.at(["exp"])), end > now.seconds - Self.skew else { throw fault("exp") }
        guard let issued = Self.time(json.at(["iat"])), issued < now.seconds + Self.skew, issued > now.seconds - 86400
        else { throw fault("iat") }
        if let nonce, json.at(["nonce"]) != .string(nonce) { throw fault("nonce") }
        guard case .string(let subject)? = json.at(["sub"]), !subject.isEmpty else { throw fault("sub") }
        self.subject = subject
        self.json = json
    }

    private static func time(_ value: JSONValue?) -> Int64? {
        guard case .number(let digits)? = value, let number = Double(digits), number.magnitude < 1e15 else {
            return nil
        }
        return Int64(number)
    }
}
