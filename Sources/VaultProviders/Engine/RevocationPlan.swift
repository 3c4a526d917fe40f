import VaultBase

/// Which of a grant's tokens to revoke next, after what the provider said of those before.
///
/// A provider may refuse one kind of token and take the other (`unsupported_token_type`, RFC 7009 §2.2.1): then the
/// other one is revoked in its place.
public struct RevocationPlan: Sendable {
    /// A token by the hint that names its kind (RFC 7009 §2.1).
    public enum Kind: String, Sendable { case refresh = "refresh_token", access = "access_token" }

    struct Token: Sendable {
        var kind: Kind
        var value: Secret
    }

    private var wanted: [Token]
    /// What is tried when the provider takes nothing of the kind that is wanted.
    private var spare: Token?
    /// Whether the provider has taken a token.
    public private(set) var isDone = false

    /// The kind that is revoked next; nil when there is no more to do.
    public var next: Kind? { token?.kind }
    var token: Token? { wanted.first }

    init(wanted: [Token] = [], spare: Token? = nil) {
        self.wanted = wanted
        self.spare = spare
    }

    /// The token is gone.
    public mutating func taken() {
        isDone = true
        advance()
    }

    /// The provider refused the token.
    ///
    /// - Throws: the refusal, unless it is of the token's kind alone.
    public mutating func refused(_ failure: ProviderFailure) throws(ProviderFailure) {
        guard failure.code == "unsupported_token_type", failure.failure != .retry else { throw failure }
        advance()
    }

    private mutating func advance() {
        if !wanted.isEmpty { wanted.removeFirst() }
        guard wanted.isEmpty, !isDone, let spare else { return }
        wanted = [spare]
        self.spare = nil
    }
}
