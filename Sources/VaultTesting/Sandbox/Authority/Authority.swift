import VaultBase
import VaultCrypto

// What the sandbox knows, as values: no clock, no socket, no lock. Time is handed in.
struct Authority {
    struct Code {
        var grant: String
        var redirectURI: String
        var challenge: String
        var nonce: String?
        var expiresAt: Timestamp
        var used = false
    }

    struct AccessToken {
        var grant: String
        var scopes: [String]
        var expiresAt: Timestamp
    }

    /// A request for a grant while its pages are looked at.
    struct Pending {
        var client: String
        var redirectURI: String
        var state: String?
        var scopes: [String]
        var challenge: String
        var nonce: String?
        var user: String?
        var expiresAt: Timestamp
    }

    var clients: [String: Sandbox.Client]
    var accessTokenLifetime: Duration
    let codeLifetime: Duration

    var pending: [String: Pending] = [:]
    /// All by hash: a token is looked up by what it is, and never kept.
    var codes: [String: Code] = [:]
    var refreshTokens: [String: (grant: String, index: Int)] = [:]
    var accessTokens: [String: AccessToken] = [:]

    var ledger = Sandbox.Ledger()
    var misbehaviours: [Sandbox.Misbehaviour] = []
    var autoApprove: String?
    var redeeming = 0

    /// Every scope there is, in the order the consent page shows them.
    static let scopes = ["openid", "profile", "email", "music", "offline_access"]

    init(clients: [Sandbox.Client], accessTokenLifetime: Duration, codeLifetime: Duration) {
        self.clients = Dictionary(clients.map { ($0.id, $0) }, uniquingKeysWith: { $1 })
        self.accessTokenLifetime = accessTokenLifetime
        self.codeLifetime = codeLifetime
    }

    static func hash(_ token: String) -> String { Hex.encode(Digest.sha256(Array(token.utf8))) }

    /// Whose a token is, and for what. Not the grant itself: a copy of its long list of tokens would be
    /// copied again at the next change.
    struct Holder {
        var grant: String
        var user: String
        var client: String
        var scopes: [String]
        var isRevoked: Bool
    }

    /// Whose a code, refresh token or access token is, used or not.
    func holder(of token: String) -> Holder? {
        let hash = Self.hash(token)
        return holder(grant: codes[hash]?.grant ?? refreshTokens[hash]?.grant ?? accessTokens[hash]?.grant ?? "")
    }

    func holder(grant id: String) -> Holder? {
        ledger.grants[id].map {
            Holder(grant: id, user: $0.user, client: $0.client, scopes: $0.scopes, isRevoked: $0.revoked != nil)
        }
    }

    /// Forgets access tokens, codes and pages that ended: they are refused with or without a memory of them.
    mutating func forget(before now: Timestamp) {
        accessTokens = accessTokens.filter { $0.value.expiresAt > now }
        pending = pending.filter { $0.value.expiresAt > now }
    }
}

/// A refusal in the words of RFC 6749 §5.2.
struct OAuthError: Error {
    var status = 400
    var code: String
    var description: String

    init(_ code: String, _ description: String, status: Int = 400) {
        self.code = code
        self.description = description
        self.status = status
    }
}

/// What a redemption gave.
struct IssuedTokens {
    var accessToken: String
    var refreshToken: String?
    var idToken: String?
    var scopes: [String]
    var lifetime: Duration
}
