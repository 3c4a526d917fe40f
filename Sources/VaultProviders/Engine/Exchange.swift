public import VaultBase

/// A request for the host to send. Its values may be secret, so it prints without them.
public struct ProviderRequest: Sendable, CustomStringConvertible {
    public var method: String
    public var url: String
    public var headers: [(name: String, value: String)]
    public var body: [UInt8]
    /// Method and host, nothing else.
    public var description: String { fatalError("stub") }
}

/// A provider's answer, already limited in size by the transport.
public struct ProviderAnswer: Sendable {
    public var status: Int
    public var headers: [(name: String, value: String)]
    public var body: [UInt8]

    public init(status: Int, headers: [(name: String, value: String)], body: [UInt8]) {
        self.status = status
        self.headers = headers
        self.body = body
    }
}

/// What a token endpoint gave.
public struct TokenGrant: Sendable, Equatable {
    public var accessToken: Secret
    /// nil when absent, null or empty: keep the old one.
    public var refreshToken: Secret?
    public var tokenType: String
    /// nil when the answer does not say.
    public var scope: String?
    /// Seconds the access token lives, clamped to sane values; nil for unknown or never.
    public var expiresIn: Int64?
    public var idToken: String?
    /// Where the description takes it from the token response.
    public var subject: String?
    /// Seconds the refresh token lives, when the answer says (`refresh_token_expires_in`).
    public var refreshExpiresIn: Int64?
}

/// The provider account.
public struct Account: Sendable, Equatable {
    public var subject: String
    public var displayName: String?
}

/// A classified failure of a provider; it holds the OAuth error code at the most, never a body.
public struct ProviderFailure: Error, Sendable, Equatable {
    public var failure: FailureClass
    /// The provider's own code (`invalid_grant`), cut to 64 safe characters; or ours (`undecodable`, `http-503`).
    public var code: String
    public var status: Int?
    public var retryAfter: Duration?

    public init(failure: FailureClass, code: String, status: Int? = nil, retryAfter: Duration? = nil) {
        self.failure = failure
        self.code = code
        self.status = status
        self.retryAfter = retryAfter
    }
}
