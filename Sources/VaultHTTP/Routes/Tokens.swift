import HTTPTypes
import Hummingbird
import NIOCore
import Vault
import VaultBase
import VaultProviders
import VaultRecords

extension FacadeParts {
    /// `GET /auth/{platform}/token`: the access token, refreshed only when it is about to end.
    var tokenEndpoint: Endpoint {
        Endpoint(.get, Self.tokenPath) { request, context in
            let user = try self.caller(request).session.user
            return .json(Self.body(try await self.vault.token(for: user, at: self.platform(context))))
        }
    }

    static let tokenPath = "/auth/{platform}/token"

    /// `POST /auth/{platform}/refresh`: always a new redemption.
    var refreshEndpoint: Endpoint {
        Endpoint(.post, "/auth/{platform}/refresh") { request, context in
            let user = try self.caller(request).session.user
            let platform = try self.platform(context)
            let allowance = self.refreshes.take(user)
            try allowance.check("refreshes")
            var headers = HTTPFields()
            allowance.write(to: &headers)
            return .json(Self.body(try await self.vault.refresh(user, at: platform)), headers: headers)
        }
    }

    /// `DELETE /auth/{platform}`: disconnects, and says honestly what the provider did.
    var disconnectEndpoint: Endpoint {
        Endpoint(.delete, "/auth/{platform}") { request, context in
            let user = try self.caller(request).session.user
            let end = try await self.vault.disconnect(user, from: self.platform(context))
            return .json(Self.body(end))
        }
    }

    static func body(_ end: Disconnection) -> ByteBuffer {
        JSONText.object {
            $0.field("deleted", end.deleted)
            $0.field("revoked", end.revoked.rawValue)
        }
    }

    static func body(_ token: AccessToken) -> ByteBuffer {
        JSONText.object {
            $0.field("accessToken", token.accessToken)
            $0.field("tokenType", token.tokenType)
            $0.field("expiresAt", token.expiresAt)
            $0.field("scope", token.scope)
            $0.field("clientToken", token.clientToken?.token)
        }
    }
}
