import FoundationEssentials
import HTTPTypes
import Hummingbird
import NIOCore
import Vault
import VaultBase
import VaultRecords

// `/v1`: for back ends, with a service key. No cookie, no CORS, no session.

extension FacadeParts {
    var serviceEndpoints: [Endpoint] {
        let connection = "/v1/users/{userId}/connections/{platform}"
        return [
            service(.get, "/v1/users/{userId}/connections", .readConnections) { _, call in
                let connections = try self.vault.connections(of: call.user)
                    .filter { call.key.allows(.readConnections, at: $0.platform) }
                return .json(
                    JSONText.object {
                        $0.field("user", call.user.rawValue)
                        $0.array("connections", connections) { self.write($1, to: &$0) }
                    })
            },
            service(.get, connection + "/token", .readToken) { _, call in
                .json(Self.body(try await self.vault.token(for: call.user, at: call.named())))
            },
            service(.put, connection, .write) { request, call in
                let document = try await Self.grant(request, call.user, call.named())
                let written = try await self.vault.put(document, by: "service:\(call.key.name)")
                return .json(JSONText.object { self.write(written, to: &$0) })
            },
            service(.delete, connection, .delete) { _, call in
                let by = "service:\(call.key.name)"
                return .json(Self.body(try await self.vault.disconnect(call.user, from: call.named(), by: by)))
            },
            service(.delete, "/v1/users/{userId}/sessions", .endSessions) { _, call in
                let ended = try await self.vault.endSessions(of: call.user, by: "service:\(call.key.name)")
                return .json(JSONText.object { $0.field("sessions", ended) })
            },
        ]
    }

    /// A request whose key may do it.
    private struct ServiceCall: Sendable {
        var key: ServiceKey
        var user: UserID
        var platform: PlatformName?

        func named() throws(VaultError) -> PlatformName {
            guard let platform else { throw VaultError(.internal, "the path names no platform") }
            return platform
        }
    }

    /// An endpoint that asks for a key, whether it may, and whether it came too often; and says in the log what it did.
    private func service(
        _ method: HTTPRequest.Method, _ path: String, _ action: ServiceKey.Action,
        _ answer: @escaping @Sendable (Request, ServiceCall) async throws -> Response
    ) -> Endpoint {
        Endpoint(method, path) { request, context in
            let hint = "send it as: Authorization: Bearer vlt_…"
            guard let token = try self.bearer(request.headers, hint: hint) else {
                throw VaultError(.unauthorized, "no service key was sent", hint: hint)
            }
            let key = try self.vault.service(token)
            let allowance = self.serviceCalls.take(key.id)
            try allowance.check("requests")
            let name = context.parameters.get("platform")
            let user = try UserID(FormParameters.decode(part: context.parameters["userId"] ?? "") ?? "")
            let call = ServiceCall(key: key, user: user, platform: try name.map { try PlatformName($0) })
            do {
                try Self.admit(call, action)
                var response = try await answer(request, call)
                allowance.write(to: &response.headers)
                self.vault.audit(key, action, user, call.platform, outcome: "ok")
                return response
            } catch {
                let fault = (error as? Refusal)?.error ?? error as? VaultError
                self.vault.audit(key, action, user, call.platform, outcome: fault?.code.name ?? "failed")
                throw error
            }
        }
    }

    /// - Throws: `forbidden` with what is missing (RFC 6750 §3.1, `insufficient_scope`).
    private static func admit(_ call: ServiceCall, _ action: ServiceKey.Action) throws(Refusal) {
        guard !call.key.allows(action, at: call.platform) else { return }
        let may = call.key.actions.contains(action)
        throw Refusal(
            error: VaultError(
                .forbidden,
                may ? "this service key is not for this platform" : "this service key may not \(action.rawValue)",
                hint: "make one that may: vault service create"),
            headers: [.wwwAuthenticate: "Bearer error=\"insufficient_scope\", scope=\"\(action.rawValue)\""])
    }

    /// The body of a `PUT`: a grant that was obtained elsewhere.
    private static func grant(
        _ request: Request, _ user: UserID, _ platform: PlatformName
    ) async throws -> ConnectionDocument {
        let members = [
            "accessToken", "refreshToken", "tokenType", "scope", "expiresAt", "consentedAt", "subject", "displayName",
        ]
        let bytes = try await request.body.collect(upTo: Limits.body)
        let type = (request.headers[.contentType] ?? "").prefix { $0 != ";" && $0 != " " }.lowercased()
        guard type == "application/json" else {
            throw VaultError(
                .unsupportedMediaType, "the body is not application/json", hint: "send Content-Type: application/json")
        }
        let body = Data(bytes.readableBytesView)
        var document: ConnectionDocument
        do {
            let names = try JSONDecoder().decode([String: Anything].self, from: body).keys
            guard names.allSatisfy({ members.contains($0) }) else { throw VaultError(.badRequest, "unknown member") }
            document = try JSONDecoder().decode(ConnectionDocument.self, from: body)
        } catch {
            // The decoder's own words may quote the body.
            throw VaultError(
                .badRequest, "the body is not a grant", hint: "its members are: \(members.joined(separator: ", "))")
        }
        document.user = user.rawValue
        document.platform = platform.rawValue
        try check(document)
        return document
    }

    /// RFC 6749 appendix A: tokens and scopes are printable ASCII; what else there is would end in a header.
    private static func check(_ document: ConnectionDocument) throws(VaultError) {
        let texts = [
            ("accessToken", document.accessToken), ("refreshToken", document.refreshToken),
            ("tokenType", document.tokenType), ("scope", document.scope),
        ]
        for (name, text) in texts where !(text ?? "").utf8.allSatisfy({ (0x20...0x7E).contains($0) }) {
            throw VaultError(.badRequest, "\(name) holds a character that no provider gives")
        }
        for (name, text) in [("tokenType", document.tokenType), ("displayName", document.displayName)]
        where (text ?? "").unicodeScalars.count > 256 {
            throw VaultError(.badRequest, "\(name) is longer than 256 characters")
        }
    }

    /// Any JSON value, of which only the name counts.
    private struct Anything: Decodable { init(from decoder: any Decoder) {} }
}
