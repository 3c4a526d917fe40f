import HTTPTypes
import Hummingbird
import NIOCore
import Vault
import VaultBase
import VaultProviders
import VaultRecords

extension FacadeParts {
    /// `GET /auth/{platform}/callback`: where the provider sends the browser back to.
    var callbackEndpoint: Endpoint {
        Endpoint(.get, "/auth/{platform}/callback") { request, context in
            // A browser that looks ahead must not use up the code (and shows nobody the answer).
            if Self.isPrefetch(request) { return Response(status: .noContent) }
            try self.callbacks.take(self.client(of: request, context)?.caller).check("callbacks")
            let platform = try self.platform(context)
            let parameters = try FormParameters.parse(request.uri.query ?? "")
            let binding = self.cookies.binding(in: request)
            let end = try await self.vault.completeLogin(at: platform, parameters: parameters, binding: binding)
            return try self.redirect(end, platform, binding)
        }
    }

    /// `POST /auth/{platform}/callback`: the same as a form, where the platform says so.
    ///
    /// A form posted from the provider's site comes without our Lax cookie, so the browser is sent on to
    /// the GET with the same parameters, where it has the cookie again.
    var postedCallbackEndpoint: Endpoint {
        Endpoint(.post, "/auth/{platform}/callback") { request, context in
            try self.callbacks.take(self.client(of: request, context)?.caller).check("callbacks")
            let name = try self.platform(context)
            guard try self.vault.platforms.platform(name).provider.description.callbackMayBePosted else {
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
            return .redirect(to: "/auth/\(name)/callback?\(FormParameters.encode(parameters))", type: .normal)
        }
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
