import FoundationEssentials
import HTTPTypes
import Hummingbird
import NIOCore
import Vault
import VaultBase
import VaultProviders
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
                if let handover = start.handover {
                    $0.field("state", handover.state)
                    $0.field("clientToken", handover.clientToken?.token)
                } else {
                    $0.field("authorizationUrl", start.authorizationURL)
                }
                $0.field("expiresAt", start.expiresAt)
            }
            return .json(body, headers: headers)
        }
    }

    /// `POST /auth/{platform}/browser-token`: finishes a login with the token that the platform gave to the browser.
    ///
    /// It takes JSON alone, from an origin that may write, with the login's cookie and its one-time state: a page of
    /// another origin can bring none of them.
    var browserTokenEndpoint: Endpoint {
        Endpoint(.post, "/auth/{platform}/browser-token") { request, context in
            let platform = try self.platform(context)
            guard try self.vault.platforms.platform(platform).provider.description.flow == .browserToken else {
                throw VaultError(
                    .notFound, "\(platform) gives no tokens to browsers",
                    hint: "begin with POST /auth/\(platform)/login")
            }
            let allowance = try self.exchange(request, context)
            let body = try await JSONBody.read(request, members: ["state", "token"])
            guard let state = try body.string("state"), let token = try body.string("token") else {
                throw VaultError(
                    .badRequest, "state or token is missing", hint: "send {\"state\": \"…\", \"token\": \"…\"}")
            }
            let end = try await self.vault.completeLogin(
                at: platform, state: state, token: Secret(token), binding: self.cookies.binding(in: request))
            switch end {
            case .connected(let session, _):
                let byCookie = self.vault.options.sessionDelivery == .cookie
                return self.answer(session, byCookie: byCookie, allowance: allowance)
            case .failed(let code, _): throw LoginRefusal.error(code, at: platform)
            }
        }
    }
}

/// What the redirect's `error` says, where there is no redirect.
private enum LoginRefusal {
    static func error(_ code: String, at platform: PlatformName) -> VaultError {
        switch code {
        case "retry":
            VaultError(
                .retry, "\(platform) does not say whether the token holds", hint: "try the login again in a moment")
        case "operator":
            VaultError(
                .operatorAction, "\(platform) refuses this application, not the user", hint: "tell the operator")
        case "account-in-use":
            VaultError(
                .accountInUse, "this account of \(platform) belongs to another user here",
                hint: "log in as that user, or disconnect there first")
        case "other-account":
            VaultError(
                .conflict, "another account of \(platform) is connected already", hint: "disconnect that one first")
        default:
            VaultError(.restartLogin, "this login at \(platform) cannot be finished", hint: "begin a new one")
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
