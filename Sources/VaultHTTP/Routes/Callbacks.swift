import HTTPTypes
import Hummingbird
import NIOCore
import Vault
import VaultBase
import VaultProviders
import VaultRecords

extension FacadeParts {
    /// Where providers send the browser back to; with the state in the path where the provider echoes none.
    var callbackEndpoints: [Endpoint] {
        ["/auth/{platform}/callback", "/auth/{platform}/callback/{state}"].flatMap { path in
            [Endpoint(.get, path, callback), Endpoint(.post, path, postedCallback)]
        }
    }

    /// Whether it is the path of a callback.
    static func isCallback(_ path: String) -> Bool {
        let parts = path.split(separator: "/", maxSplits: 4)
        return (3...4).contains(parts.count) && parts[0] == "auth" && parts[2] == "callback"
    }

    /// `GET /auth/{platform}/callback`
    private func callback(_ request: Request, _ context: FacadeContext) async throws -> Response {
        // A browser that looks ahead must not use up the code (and shows nobody the answer).
        if Self.isPrefetch(request) { return Response(status: .noContent) }
        try callbacks.take(client(of: request, context)?.caller).check("callbacks")
        let platform = try platform(context)
        var parameters = try FormParameters.parse(request.uri.query ?? "")
        if let state = try state(of: platform, context) {
            // The one we put there counts, whatever a provider makes of the name.
            parameters.removeAll { $0.name == "state" }
            parameters.append(("state", state))
        }
        let binding = cookies.binding(in: request)
        let end = try await vault.completeLogin(at: platform, parameters: parameters, binding: binding)
        return try redirect(end, platform, binding)
    }

    /// The `{state}` of the path, if it has one.
    ///
    /// - Throws: `not-found` where the platform's logins carry it elsewhere.
    private func state(of platform: PlatformName, _ context: FacadeContext) throws(VaultError) -> String? {
        guard let part = context.parameters["state"] else { return nil }
        guard try vault.platforms.platform(platform).provider.description.stateCarrier == .redirectPath else {
            throw VaultError(
                .notFound, "the callback of \(platform) has no state in its path",
                hint: "register /auth/\(platform)/callback at the platform")
        }
        return FormParameters.decode(part: part) ?? ""
    }

    /// `POST /auth/{platform}/callback`: the same as a form, where the platform says so.
    ///
    /// A form posted from the provider's site comes without our Lax cookie, so the browser is sent on to
    /// the GET with the same parameters, where it has the cookie again.
    private func postedCallback(_ request: Request, _ context: FacadeContext) async throws -> Response {
        try callbacks.take(client(of: request, context)?.caller).check("callbacks")
        let name = try platform(context)
        guard try vault.platforms.platform(name).provider.description.callbackMayBePosted else {
            throw Refusal(
                error: VaultError(.methodNotAllowed, "this platform's callback is not a form", hint: "use GET"),
                headers: [.allow: "GET"])
        }
        let type = (request.headers[.contentType] ?? "").prefix { $0 != ";" && $0 != " " }.lowercased()
        guard type == "application/x-www-form-urlencoded" else {
            throw VaultError(.unsupportedMediaType, "the callback is not a form")
        }
        let body = try await request.body.collect(upTo: Limits.body)
        let parameters = try FormParameters.parse(String(buffer: body))
        let state = try state(of: name, context).map { "/" + FormParameters.encode($0) } ?? ""
        return .redirect(to: "/auth/\(name)/callback\(state)?\(FormParameters.encode(parameters))", type: .normal)
    }

    /// 303, so that the browser goes on with GET (RFC 9700 §4.12) and the code's address is left behind.
    private func redirect(_ end: LoginEnd, _ platform: PlatformName, _ binding: Secret?) throws -> Response {
        switch end {
        case .failed(let code, let returnTo):
            return .redirect(to: frontend(returnTo, [("error", code), ("platform", platform.rawValue)]), type: .normal)
        case .connected(let session, let returnTo):
            switch vault.options.sessionDelivery {
            case .fragment:
                let fragment = [("session", session.token.reveal()), ("platform", platform.rawValue)]
                return .redirect(to: frontend(returnTo, fragment), type: .normal)
            case .cookie:
                var response = Response.redirect(
                    to: frontend(returnTo, [("platform", platform.rawValue)]), type: .normal)
                response.headers[.setCookie] = sessionCookie(session)
                return response
            case .code:
                // A login that ended well had a binding: the vault checked it.
                let code = try codes.issue(session, to: binding ?? Secret(""))
                return .redirect(
                    to: frontend(returnTo, [("code", code), ("platform", platform.rawValue)]), type: .normal)
            }
        }
    }

    /// The frontend's address with the answer in its fragment, which browsers send to nobody.
    ///
    /// - Parameter returnTo: a path below `frontend.url`, or a whole URL; the vault has checked it.
    func frontend(_ returnTo: String?, _ answer: [(name: String, value: String)]) -> String {
        var target = vault.options.frontendURL
        if let returnTo, returnTo.contains("://") {
            target = returnTo
        } else if let returnTo {
            while target.hasSuffix("/") { target.removeLast() }
            target += returnTo
        } else if Origins.origin(of: target) == target {
            // An origin alone: the path a browser would put there anyway.
            target += "/"
        }
        return target + (target.contains("#") ? "&" : "#") + FormParameters.encode(answer)
    }

    func sessionCookie(_ session: IssuedSession) -> String {
        cookies.setSession(session.token, until: session.record.endsAt, now: vault.records.now)
    }

    private static func isPrefetch(_ request: Request) -> Bool {
        [.secPurpose, .purpose].contains { (name: HTTPField.Name) in
            request.headers[name]?.lowercased().contains("prefetch") ?? false
        }
    }
}
