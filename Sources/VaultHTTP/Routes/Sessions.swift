import HTTPTypes
import Hummingbird
import NIOCore
import Vault
import VaultBase
import VaultRecords

extension FacadeParts {
    /// `GET /auth/session`: who am I, and my connections with their health; never a token.
    var sessionEndpoint: Endpoint {
        Endpoint(.get, "/auth/session") { request, _ in
            let session = try self.caller(request).session
            let connections = try self.vault.connections(of: session.user)
            let body = JSONText.object {
                $0.field("user", session.user.rawValue)
                $0.field("expiresAt", self.vault.records.outside(session.endsAt))
                $0.array("connections", connections) { self.write($1, to: &$0) }
            }
            return .json(body)
        }
    }

    /// `POST /auth/session/refresh`: a new session for the same user; the old one ends.
    var renewEndpoint: Endpoint {
        Endpoint(.post, "/auth/session/refresh") { request, _ in
            let caller = try self.caller(request, orReplaced: true)
            let allowance = self.renewals.take(caller.session.user)
            try allowance.check("renewals")
            return self.answer(
                try await self.vault.renew(caller.session), byCookie: caller.byCookie, allowance: allowance)
        }
    }

    /// `DELETE /auth/session`: logs out.
    var logoutEndpoint: Endpoint {
        Endpoint(.delete, "/auth/session") { request, _ in
            let caller = try self.caller(request, orReplaced: true)
            try await self.vault.revoke(caller.session)
            var response = Response(status: .noContent)
            if caller.byCookie { response.headers[.setCookie] = self.cookies.clearSession() }
            return response
        }
    }

    /// `POST /auth/session/code`: the session for the one-time code of a login.
    var codeEndpoint: Endpoint {
        Endpoint(.post, "/auth/session/code") { request, context in
            guard self.vault.options.sessionDelivery == .code else {
                throw VaultError(.notFound, "sessions are not delivered by code here")
            }
            let allowance = try self.exchange(request, context)
            guard let code = try await JSONBody.read(request, members: ["code"]).string("code") else {
                throw VaultError(.badRequest, "code is missing", hint: "send {\"code\": \"…\"}")
            }
            return self.answer(
                try self.codes.redeem(code, by: self.cookies.binding(in: request)), byCookie: false,
                allowance: allowance)
        }
    }

    /// Takes one of the exchanges for a session that a client address has.
    ///
    /// - Throws: `rate-limited`.
    func exchange(_ request: Request, _ context: FacadeContext) throws(Refusal) -> Allowance {
        let allowance = exchanges.take(client(of: request, context)?.caller)
        try allowance.check("exchanges for a session")
        return allowance
    }

    /// A session that lives in a cookie is not shown to the page.
    func answer(_ session: IssuedSession, byCookie: Bool, allowance: Allowance) -> Response {
        let body = JSONText.object {
            if !byCookie { $0.field("session", session.token) }
            $0.field("expiresAt", vault.records.outside(session.record.endsAt))
        }
        var headers: HTTPFields = byCookie ? [.setCookie: sessionCookie(session)] : [:]
        allowance.write(to: &headers)
        return .json(body, headers: headers)
    }

    func write(_ connection: Connection, to text: inout JSONText) {
        let reason: String? =
            switch connection.health {
            case .reconnect(let reason), .operatorAction(let reason): reason
            case .healthy, .expiring, .uncertain: nil
            }
        let platform = vault.platforms.entries.first { $0.name == connection.platform }
        text.field("platform", connection.platform.rawValue)
        text.field("displayName", platform?.displayName ?? connection.platform.rawValue)
        text.field("account", connection.displayName ?? connection.subject)
        text.field("scope", connection.scope)
        text.field("health", connection.health.name)
        text.field("reason", reason)
        text.field("connectedAt", connection.createdAt)
        text.field("expiresAt", connection.expiresAt)
        text.field("grantEndsAt", connection.endsAt)
    }
}
