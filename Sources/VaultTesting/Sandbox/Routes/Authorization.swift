import HTTPTypes
import Hummingbird
import VaultBase
import VaultCrypto

// The authorization endpoint (OAuth 2.1 §4.1.1): a request, a login page, a consent page, a redirect.
extension Routes {
    func addAuthorization(to router: Router<SandboxContext>) {
        router.get("/authorize") { request, context in try await authorize(request, context) }
        router.post("/authorize/login") { request, _ in try await login(Form(body: request)) }
        router.post("/authorize/consent") { request, _ in try await consent(Form(body: request)) }
        router.get("/style.css") { _, _ in Response.bytes(Array(Page.style.utf8), type: "text/css; charset=utf-8") }
        router.get("/") { _, _ in Page.welcome(title: title, issuer: control.issuer).response() }
    }

    private func authorize(_ request: Request, _ context: SandboxContext) async throws -> Response {
        let form = Form(request.uri.query ?? "")
        // Until client and redirect URI are known to belong together nothing may be sent there (RFC 6749 §4.1.2.1).
        guard let id = form["client_id"], let client = control.withAuthority({ $0.clients[id] }) else {
            return refusal("there is no client of that client_id")
        }
        guard let redirectURI = form["redirect_uri"], client.allows(redirectURI: redirectURI) else {
            return refusal("redirect_uri is not one that \(client.id) registered")
        }
        if let repeated = form.repeated, ["client_id", "redirect_uri", "state"].contains(repeated) {
            return refusal("\(repeated) comes twice")
        }
        let plan = control.plan(at: .authorize, scopes: form["scope"].map(Self.words) ?? [])
        if plan.delay > .zero || plan.refusal != nil {
            let answer = try await plan.answer(context) { [] }
            if plan.refusal != nil { return answer }
        }
        let pending: Authority.Pending
        do {
            pending = try Self.check(form, client: client, redirectURI: redirectURI, now: control.clock.now())
        } catch {
            return redirect(redirectURI, ["error": error.code, "error_description": error.description], form["state"])
        }
        if let user = control.autoApprove.flatMap({ Person(typed: $0)?.user }) {
            return finish(pending, user: user, scopes: pending.scopes)
        }
        let ticket = Random.token()
        control.withAuthority { $0.pending[ticket] = pending }
        return Page.login(title: title, request: ticket, client: client.name, hint: form["login_hint"]).response()
    }

    /// Refuses all but the one kind of request OAuth 2.1 leaves: a code, with PKCE S256.
    private static func check(
        _ form: Form, client: Sandbox.Client, redirectURI: String, now: Timestamp
    ) throws(OAuthError) -> Authority.Pending {
        if let repeated = form.repeated { throw OAuthError("invalid_request", "\(repeated) comes twice") }
        guard let type = form["response_type"] else { throw OAuthError("invalid_request", "response_type is missing") }
        guard type == "code" else { throw OAuthError("unsupported_response_type", "only code") }
        guard form["code_challenge_method"] == "S256" else {
            throw OAuthError("invalid_request", "code_challenge_method must be S256")
        }
        guard let challenge = form["code_challenge"], Base64.decode(challenge)?.count == 32 else {
            throw OAuthError("invalid_request", "code_challenge must be a SHA-256 in base64url")
        }
        let scopes = words(form["scope"] ?? "profile")
        if let unknown = scopes.first(where: { !Authority.scopes.contains($0) }) {
            throw OAuthError("invalid_scope", "there is no scope \(unknown)")
        }
        return Authority.Pending(
            client: client.id, redirectURI: redirectURI, state: form["state"], scopes: scopes, challenge: challenge,
            nonce: form["nonce"], expiresAt: now + .seconds(600))
    }

    private func login(_ form: Form) throws -> Response {
        guard let id = form["request"], let request = pending(id) else { return ended() }
        guard form["cancel"] == nil else { return deny(id, request) }
        let client = control.withAuthority { $0.clients[request.client]?.name ?? request.client }
        guard let name = form["user"] ?? form["name"], let person = Person(typed: name) else {
            let page = Page.login(title: title, request: id, client: client, hint: form["name"], wrongName: true)
            return page.response(status: .badRequest)
        }
        control.withAuthority { $0.pending[id]?.user = person.user }
        let scopes = Authority.scopes.filter(request.scopes.contains)
        return Page.consent(title: title, request: id, client: client, person: person, scopes: scopes).response()
    }

    private func consent(_ form: Form) throws -> Response {
        guard let id = form["request"], let request = pending(id), let user = request.user else { return ended() }
        switch form["decision"] {
        case "allow": break
        case "switch":
            let client = control.withAuthority { $0.clients[request.client]?.name ?? request.client }
            return Page.login(title: title, request: id, client: client, hint: nil).response()
        default: return deny(id, request)
        }
        let chosen = form.all("scope")
        let scopes = request.scopes.filter { chosen.contains($0) || Page.required.contains($0) }
        guard !scopes.isEmpty else { return deny(id, request) }
        control.withAuthority { $0.pending[id] = nil }
        return finish(request, user: user, scopes: scopes)
    }

    private func finish(_ request: Authority.Pending, user: String, scopes: [String]) -> Response {
        let now = control.clock.now()
        let code = control.withAuthority { $0.consent(to: request, as: user, scopes: scopes, now: now) }
        return redirect(request.redirectURI, ["code": code], request.state)
    }

    private func deny(_ id: String, _ request: Authority.Pending) -> Response {
        control.withAuthority { $0.pending[id] = nil }
        return redirect(
            request.redirectURI, ["error": "access_denied", "error_description": "the user said no"], request.state)
    }

    private func pending(_ id: String) -> Authority.Pending? {
        let now = control.clock.now()
        return control.withAuthority { authority in authority.pending[id].flatMap { $0.expiresAt > now ? $0 : nil } }
    }

    /// 303, so that no browser posts on (RFC 9700 §4.12), with `iss` (RFC 9207 §2).
    private func redirect(_ uri: String, _ parameters: KeyValuePairs<String, String>, _ state: String?) -> Response {
        var pairs = parameters.map { ($0.key, $0.value) }
        if let state { pairs.append(("state", state)) }
        pairs.append(("iss", control.issuer))
        let query = pairs.map { "\($0.0)=\(Form.encode($0.1))" }.joined(separator: "&")
        let location = uri + (uri.contains("?") ? "&" : "?") + query
        return Response(
            status: .seeOther,
            headers: [.location: location, .cacheControl: "no-store", .referrerPolicy: "no-referrer"])
    }

    private func refusal(_ reason: String) -> Response {
        Page.problem(title: title, reason: reason).response(status: .badRequest)
    }

    private func ended() -> Response {
        refusal(
            "this login was finished already, or it took longer than ten minutes; start it again from the application")
    }

    static func words(_ text: String) -> [String] { text.split(separator: " ").map(String.init) }
}

extension Sandbox.Client {
    /// Exactly equal, or equal but for the port where both are loopback (RFC 8252 §7.3).
    func allows(redirectURI: String) -> Bool {
        redirectURIs.contains { registered in
            if registered == redirectURI { return true }
            guard let (host, rest) = Self.loopback(registered), let asked = Self.loopback(redirectURI) else {
                return false
            }
            return asked == (host, rest)
        }
    }

    /// Host and what follows the port, where the URI is plain HTTP on a loopback address.
    private static func loopback(_ uri: String) -> (host: String, rest: String)? {
        for host in ["http://127.0.0.1", "http://[::1]"] where uri.hasPrefix(host) {
            var rest = uri.dropFirst(host.count)
            if rest.first == ":" {
                rest = rest.dropFirst()
                let port = rest.prefix { $0.isASCII && $0.isNumber }
                guard let number = Int(port), (1...65535).contains(number) else { return nil }
                rest = rest.dropFirst(port.count)
            }
            guard rest.isEmpty || rest.first == "/", !rest.contains("#") else { return nil }
            return (host, String(rest))
        }
        return nil
    }
}

extension HTTPField.Name {
    static var referrerPolicy: Self { .init("Referrer-Policy")! }
}
