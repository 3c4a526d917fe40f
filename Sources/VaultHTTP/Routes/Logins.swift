import FoundationEssentials
import HTTPTypes
import Hummingbird
import NIOCore
import Vault
import VaultBase
import VaultRecords

extension FacadeParts {
    /// `POST /auth/{platform}/login`: begins a login and says where to send the browser.
    var loginEndpoint: Endpoint {
        Endpoint(.post, "/auth/{platform}/login") { request, context in
            let platform = try self.platform(context)
            let client = self.client(of: request, context)?.caller
            let allowance = self.logins.take(client)
            try allowance.check("logins")
            let wish = try await LoginWish(request)
            let start = try await self.vault.beginLogin(
                at: platform, linking: try self.callerIfAny(request)?.session.user, returnTo: wish.returnTo,
                scopes: wish.scopes, binding: self.cookies.binding(in: request))
            var headers = HTTPFields()
            headers[.setCookie] = self.cookies.setBinding(start.binding, for: self.vault.options.loginLifetime)
            allowance.write(to: &headers)
            let body = JSONText.object {
                $0.field("authorizationUrl", start.authorizationURL)
                $0.field("expiresAt", start.expiresAt)
            }
            return .json(body, headers: headers)
        }
    }
}

/// What a login may ask for: the optional body of `login`.
struct LoginWish: Sendable {
    var returnTo: String?
    var scopes: [String]?

    /// - Throws: `bad-request`, `unsupported-media-type`; `NIOTooManyBytesError` over ``Limits/body``.
    init(_ request: Request) async throws {
        let object = try await JSONBody.read(request, members: ["returnTo", "scopes"])
        returnTo = try object.string("returnTo")
        scopes = try object.strings("scopes")
        // RFC 6749 §3.3: a scope is printable ASCII without space, quotation mark and backslash.
        let ok = (scopes ?? []).allSatisfy { scope in
            !scope.isEmpty && scope.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != 0x22 && $0 != 0x5C }
        }
        guard ok else { throw VaultError(.badRequest, "scopes: one of them is not a scope") }
    }
}
