public import VaultBase

/// A frontend's session, kept so that it can be revoked. Stored under the hash of its id.
public struct SessionRecord: Sendable, Equatable {
    /// The JWT's `jti`.
    public var id: String
    public var user: UserID
    public var createdAt: Timestamp
    public var endsAt: Timestamp
    /// The id of the session that took its place. It proves nothing then, and is kept for a moment only, so that
    /// who did not get the answer can ask for it again.
    public var successor: String?

    public init(id: String, user: UserID, createdAt: Timestamp, endsAt: Timestamp, successor: String? = nil) {
        self.id = id
        self.user = user
        self.createdAt = createdAt
        self.endsAt = endsAt
        self.successor = successor
    }
}

/// A login under way, or finished and remembered until it ends so that the same callback from the same
/// browser gets the same answer. Stored under the hash of its state, sealed.
public struct LoginRecord: Sendable, Equatable {
    /// The `state` parameter: at least 128 random bits, base64url.
    public var state: String
    public var platform: PlatformName
    /// Hash of the cookie that binds the login to the browser that began it.
    public var binding: [UInt8]
    /// PKCE code verifier (RFC 7636 §4.1); nil where the provider has no PKCE.
    public var verifier: Secret?
    /// OpenID Connect nonce.
    public var nonce: String?
    /// What the code will be redeemed with, as it was when the login began (RFC 9700 §4.4.2).
    public var issuer: String
    public var tokenEndpoint: String
    public var clientID: String
    public var redirectURI: String
    /// The user to link to, when a session began the login.
    public var user: UserID?
    /// The scopes asked for, space separated.
    public var scope: String
    public var returnTo: String?
    public var createdAt: Timestamp
    public var endsAt: Timestamp
    public var progress: Progress

    /// How far a login has come.
    public enum Progress: Sendable, Equatable {
        case pending
        /// The code is being redeemed; the callback's parameters are remembered by hash.
        case redeeming(callback: [UInt8])
        case finished(callback: [UInt8], Outcome)
    }

    /// How a login ended.
    public enum Outcome: Sendable, Equatable {
        case connected(user: UserID, sessionID: String)
        case failed(code: String)
    }

    public init(
        state: String, platform: PlatformName, binding: [UInt8], verifier: Secret?, nonce: String?, issuer: String,
        tokenEndpoint: String, clientID: String, redirectURI: String, user: UserID?, scope: String, returnTo: String?,
        createdAt: Timestamp, endsAt: Timestamp, progress: Progress = .pending
    ) {
        self.state = state
        self.platform = platform
        self.binding = binding
        self.verifier = verifier
        self.nonce = nonce
        self.issuer = issuer
        self.tokenEndpoint = tokenEndpoint
        self.clientID = clientID
        self.redirectURI = redirectURI
        self.user = user
        self.scope = scope
        self.returnTo = returnTo
        self.createdAt = createdAt
        self.endsAt = endsAt
        self.progress = progress
    }
}

/// A refresh token that is about to be sent: written before the call, cleared with the new tokens. One
/// that is still there after a crash means the outcome is unknown.
public struct Redemption: Sendable, Equatable {
    public var user: UserID
    public var platform: PlatformName
    /// The connection's generation whose refresh token was sent.
    public var generation: UInt64
    public var begunAt: Timestamp

    public init(user: UserID, platform: PlatformName, generation: UInt64, begunAt: Timestamp) {
        self.user = user
        self.platform = platform
        self.generation = generation
        self.begunAt = begunAt
    }
}
