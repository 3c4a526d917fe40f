import HTTPTypes
import Hummingbird
import VaultBase
import VaultCrypto

// The window that gives a token to the page that opened it, and the API that takes the token.
extension Routes {
    func addMusic(to router: Router<SandboxContext>) {
        router.get("/music/authorize") { request, _ in musicLogin(Form(request.uri.query ?? "")) }
        router.post("/music/authorize") { request, _ in try await musicConsent(Form(body: request)) }
        router.get("/music/handover.js") { _, _ in
            Response.bytes(Array(Page.handoverScript.utf8), type: "text/javascript; charset=utf-8")
        }
        router.get("/music/me") { request, context in try await musicMe(request, context) }
    }

    private func musicLogin(_ form: Form) -> Response {
        let now = control.clock.now()
        guard let client = control.withAuthority({ $0.client(ofToken: form["client_token"] ?? "", now: now) }) else {
            return refuse("client_token is not one that a client of this server signed")
        }
        // Where the token goes is settled here, before anybody consents.
        guard let origin = form["origin"], client.redirectURIs.contains(where: { $0.hasPrefix(origin + "/") }),
            origin.hasPrefix("http"), origin.split(separator: "/").count == 2
        else { return refuse("origin is not where \(client.id) is") }
        if let user = control.autoApprove.flatMap({ Person(typed: $0)?.user }) {
            return handOver(to: origin, token: issue(to: user, client.id))
        }
        let ticket = Random.token()
        control.withAuthority {
            $0.pending[ticket] = Authority.Pending(
                client: client.id, redirectURI: origin, scopes: ["music"], challenge: "",
                expiresAt: now + .seconds(600))
        }
        return Page.login(title: title, request: ticket, client: client.name, hint: nil, action: "/music/authorize")
            .response()
    }

    private func musicConsent(_ form: Form) -> Response {
        let now = control.clock.now()
        guard let id = form["request"], let request = control.withAuthority({ $0.pending.removeValue(forKey: id) }),
            request.expiresAt > now
        else { return refuse("this login was finished already, or took longer than ten minutes") }
        guard form["cancel"] == nil, let person = (form["user"] ?? form["name"]).flatMap({ Person(typed: $0) }) else {
            return handOver(to: request.redirectURI, token: nil)
        }
        return handOver(to: request.redirectURI, token: issue(to: person.user, request.client))
    }

    private func issue(to user: String, _ client: String) -> String {
        let now = control.clock.now()
        return control.withAuthority { $0.issueMusicToken(to: user, client: client, now: now) }
    }

    private func handOver(to origin: String, token: String?) -> Response {
        Page.handover(title: title, origin: origin, token: token).response(scripts: true)
    }

    private func refuse(_ reason: String) -> Response {
        Page.problem(title: title, reason: reason).response(status: .badRequest)
    }

    /// 401 for the client's token, 403 for the user's, each with an array of errors, as Apple does it.
    private func musicMe(_ request: Request, _ context: SandboxContext) async throws -> Response {
        let now = control.clock.now()
        let bearer = (request.headers[.authorization] ?? "").split(separator: " ").last.map(String.init) ?? ""
        guard let client = control.withAuthority({ $0.client(ofToken: bearer, now: now) }) else {
            return .json(MusicProblem(status: "401", code: "40100"), status: .unauthorized)
        }
        let token = HTTPField.Name("Music-User-Token").flatMap { request.headers[$0] } ?? ""
        let holder = control.withAuthority { $0.holder(of: token) }
        let plan = control.plan(at: .userinfo, user: holder?.user, scopes: holder?.scopes ?? [])
        guard let holder, !holder.isRevoked, holder.client == client.id, holder.scopes == ["music"] else {
            return .json(MusicProblem(status: "403", code: "40300"), status: .forbidden)
        }
        return try await plan.answer(context) { JSON.encode(["data": [["id": "no", "type": "storefronts"]]]) }
    }
}

private struct MusicProblem: Encodable {
    struct One: Encodable { var status: String, code: String }
    var errors: [One]
    init(status: String, code: String) { errors = [One(status: status, code: code)] }
}

extension Page {
    /// Gives the token to the window that opened this one.
    static func handover(title: String, origin: String, token: String?) -> Page {
        Page(
            title: title, heading: "Done",
            body: """
                <h1>\(token == nil ? "Nothing was given" : "Done")</h1>
                <p class="lead" id="handover" data-origin="\(escape(origin))" data-token="\(escape(token ?? ""))">\
                This window closes by itself.</p>
                <script src="/music/handover.js"></script>
                """)
    }

    /// To one origin and no other: whoever else opened the window gets nothing (RFC 9700 §4.17.2).
    static let handoverScript = """
        const { origin, token } = document.getElementById("handover").dataset;
        window.opener?.postMessage(token ? { token } : { error: "access_denied" }, origin);
        window.close();

        """
}
