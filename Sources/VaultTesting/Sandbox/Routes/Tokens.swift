import HTTPTypes
import Hummingbird
import VaultBase
import VaultCrypto

// The token, revocation and profile endpoints.
extension Routes {
    func addTokens(to router: Router<SandboxContext>) {
        router.post("/token") { request, context in try await token(request, context) }
        router.post("/revoke") { request, context in try await revoke(request, context) }
        router.get("/userinfo") { request, context in try await userinfo(request, context) }
        router.post("/userinfo") { request, context in try await userinfo(request, context) }
    }

    private func token(_ request: Request, _ context: SandboxContext) async throws -> Response {
        control.withAuthority { $0.redeeming += 1 }
        defer { control.withAuthority { $0.redeeming -= 1 } }
        let form: Form
        let client: Sandbox.Client
        do {
            form = try await Self.form(request)
            client = try authenticate(request, form)
        } catch let error as OAuthError {
            return refuse(error, to: request)
        }
        let place: Sandbox.Misbehaviour.Place = form["grant_type"] == "refresh_token" ? .refresh : .code
        let presented = form[place == .refresh ? "refresh_token" : "code"] ?? ""
        let holder = control.withAuthority { $0.holder(of: presented) }
        let plan = control.plan(at: place, user: holder?.user, scopes: holder?.scopes ?? [])
        if plan.revokes, let holder { control.revoke(grant: holder.grant) }
        return try await plan.answer(context) { () throws(OAuthError) in
            let result = Result { () throws(OAuthError) in try redeem(form, client: client, plan: plan) }
            if case .failure(let error) = result {
                control.withAuthority { $0.ledger.refused[error.code, default: 0] += 1 }
            }
            return JSON.encode(TokenAnswer(try result.get()), snakeCase: true)
        }
    }

    private func redeem(_ form: Form, client: Sandbox.Client, plan: Plan) throws(OAuthError) -> IssuedTokens {
        let now = control.clock.now()
        let issuer = control.issuer
        let result: Result<IssuedTokens, OAuthError> = control.withAuthority { authority in
            Result { () throws(OAuthError) in
                switch form["grant_type"] {
                case "authorization_code":
                    guard let code = form["code"] else { throw OAuthError("invalid_request", "code is missing") }
                    return try authority.redeemCode(
                        code, client: client.id, redirectURI: form["redirect_uri"], verifier: form["code_verifier"],
                        lifetime: plan.lifetime, issuer: issuer, now: now)
                case "refresh_token":
                    guard let token = form["refresh_token"] else {
                        throw OAuthError("invalid_request", "refresh_token is missing")
                    }
                    return try authority.redeemRefreshToken(
                        token, client: client.id, scopes: form["scope"].map(Self.words), rotation: plan.rotation,
                        lifetime: plan.lifetime, now: now)
                case nil: throw OAuthError("invalid_request", "grant_type is missing")
                default: throw OAuthError("unsupported_grant_type", "authorization_code or refresh_token")
                }
            }
        }
        return try result.get()
    }

    /// RFC 7009; 200 also for a token nobody knows.
    private func revoke(_ request: Request, _ context: SandboxContext) async throws -> Response {
        let form: Form
        let client: Sandbox.Client
        do {
            form = try await Self.form(request)
            client = try authenticate(request, form)
        } catch let error as OAuthError {
            return refuse(error, to: request)
        }
        guard let token = form["token"] else { return .oauth(OAuthError("invalid_request", "token is missing")) }
        let holder = control.withAuthority { $0.holder(of: token) }
        let plan = control.plan(at: .revoke, user: holder?.user, scopes: holder?.scopes ?? [])
        return try await plan.answer(context) { () throws(OAuthError) in
            control.withAuthority { $0.revoke(token, client: client.id) }
            return Array("{}".utf8)
        }
    }

    private func userinfo(_ request: Request, _ context: SandboxContext) async throws -> Response {
        let header = request.headers[.authorization] ?? ""
        guard header.lowercased().hasPrefix("bearer ") else {
            return Response(status: .unauthorized, headers: [.wwwAuthenticate: "Bearer"])
        }
        let token = String(header.dropFirst(7))
        let holder = control.withAuthority { $0.holder(of: token) }
        let plan = control.plan(at: .userinfo, user: holder?.user, scopes: holder?.scopes ?? [])
        let now = control.clock.now()
        return try await plan.answer(context) { () throws(OAuthError) in
            let result = control.withAuthority { authority in
                Result { () throws(OAuthError) in try authority.profile(token, now: now) }
            }
            let person = Person(try result.get().user)
            return JSON.encode(["sub": person.subject, "name": person.name, "email": person.email])
        }
    }

    private static func form(_ request: Request) async throws -> Form {
        let type = request.headers[.contentType]?.prefix { $0 != ";" }.lowercased()
        guard type == "application/x-www-form-urlencoded" else {
            throw OAuthError("invalid_request", "the body must be application/x-www-form-urlencoded")
        }
        let form = try await Form(body: request)
        if let repeated = form.repeated { throw OAuthError("invalid_request", "\(repeated) comes twice") }
        return form
    }

    /// HTTP Basic with form-encoded parts, or in the body, and never both (RFC 6749 §2.3, §2.3.1).
    private func authenticate(_ request: Request, _ form: Form) throws(OAuthError) -> Sandbox.Client {
        var id = form["client_id"]
        var secret = form["client_secret"]
        if let header = request.headers[.authorization] {
            guard secret == nil else { throw OAuthError("invalid_request", "two ways of client authentication") }
            guard header.lowercased().hasPrefix("basic "), let bytes = Base64.decode(header.dropFirst(6)) else {
                throw OAuthError("invalid_client", "only HTTP Basic", status: 401)
            }
            let parts = String(decoding: bytes, as: UTF8.self).split(
                separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, id == nil || id == Form.decode(parts[0]) else {
                throw OAuthError("invalid_client", "the client is unknown or its secret is wrong", status: 401)
            }
            id = Form.decode(parts[0])
            secret = Form.decode(parts[1])
        }
        guard let id, let secret, let client = control.withAuthority({ $0.clients[id] }),
            Secret(client.secret) == Secret(secret)
        else { throw OAuthError("invalid_client", "the client is unknown or its secret is wrong", status: 401) }
        return client
    }

    private func refuse(_ error: OAuthError, to request: Request) -> Response {
        control.withAuthority { $0.ledger.refused[error.code, default: 0] += 1 }
        let challenge = error.status == 401 && request.headers[.authorization] != nil
        return .oauth(error, headers: challenge ? [.wwwAuthenticate: #"Basic realm="sandbox""#] : [:])
    }
}

/// RFC 6749 §5.1.
private struct TokenAnswer: Encodable {
    var accessToken: String
    var tokenType = "Bearer"
    var expiresIn: Int64
    var refreshToken: String?
    var scope: String
    var idToken: String?

    init(_ issued: IssuedTokens) {
        accessToken = issued.accessToken
        expiresIn = issued.lifetime.milliseconds / 1000
        refreshToken = issued.refreshToken
        scope = issued.scopes.joined(separator: " ")
        idToken = issued.idToken
    }
}
