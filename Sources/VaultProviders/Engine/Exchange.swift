public import VaultBase

/// A request for the host to send. Its values may be secret, so it prints without them.
public struct ProviderRequest: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var method: String
    public var url: String
    public var headers: [(name: String, value: String)]
    public var body: [UInt8]

    public init(method: String, url: String, headers: [(name: String, value: String)] = [], body: [UInt8] = []) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
    }

    /// Method and host, nothing else.
    public var description: String { "\(method) \(WebAddress(url)?.host ?? "?")" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}

/// A provider's answer, already limited in size by the transport. Its values may be secret, so it prints without them.
public struct ProviderAnswer: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var status: Int
    public var headers: [(name: String, value: String)]
    public var body: [UInt8]

    public init(status: Int, headers: [(name: String, value: String)], body: [UInt8]) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// The first header of that name, in any case.
    public func header(_ name: String) -> String? {
        headers.first { $0.name.lowercased() == name.lowercased() }?.value
    }

    public var description: String { "HTTP \(status), \(body.count) bytes" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}

/// What a token endpoint gave.
public struct TokenGrant: Sendable, Equatable, CustomStringConvertible, CustomReflectable {
    public var accessToken: Secret
    /// nil when absent, null or empty: keep the old one.
    public var refreshToken: Secret?
    /// The scheme the provider's API wants before the token, usually `Bearer`.
    public var tokenType: String
    /// Space separated; nil when the answer does not say.
    public var scope: String?
    /// Seconds the access token lives, clamped to sane values; nil for unknown or never.
    public var expiresIn: Int64?
    /// Holds claims about a person: it prints as little as a token does.
    public var idToken: String?
    /// Where the description takes it from the token response.
    public var subject: String?
    /// Seconds the refresh token lives, when the answer says (`refresh_token_expires_in`).
    public var refreshExpiresIn: Int64?

    public init(
        accessToken: Secret, refreshToken: Secret? = nil, tokenType: String = "Bearer", scope: String? = nil,
        expiresIn: Int64? = nil, idToken: String? = nil, subject: String? = nil, refreshExpiresIn: Int64? = nil
    ) {
        self.accessToken = accessToken
        self.refreshToken = refreshToken
        self.tokenType = tokenType
        self.scope = scope
        self.expiresIn = expiresIn
        self.idToken = idToken
        self.subject = subject
        self.refreshExpiresIn = refreshExpiresIn
    }

    public var description: String {
        "tokens, scope \(scope ?? "unsaid"), \(expiresIn.map { "\($0) s" } ?? "no end said")"
    }
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}

/// The provider account.
public struct Account: Sendable, Equatable {
    public var subject: String
    public var displayName: String?

    public init(subject: String, displayName: String? = nil) {
        self.subject = subject
        self.displayName = displayName
    }
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
