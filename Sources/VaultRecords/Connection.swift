public import VaultBase

/// One user's grant at one platform: what a record holds once it is opened.
public struct Connection: Sendable, Equatable {
    public var user: UserID
    public var platform: PlatformName

    public var accessToken: Secret
    /// Never leaves the vault by any endpoint.
    public var refreshToken: Secret?
    /// As the provider named it, usually `Bearer`.
    public var tokenType: String
    /// The scope that was granted, space separated; empty when the provider has none.
    public var scope: String
    /// When the access token ends; nil when the provider did not say.
    public var expiresAt: Timestamp?

    public var createdAt: Timestamp
    public var updatedAt: Timestamp
    /// When the user last consented: what an absolute limit counts from.
    public var consentedAt: Timestamp
    /// When the whole record ends (its TTL); nil for never. An ended record is never returned.
    public var endsAt: Timestamp?
    /// When refresh-ahead should look at it; nil for never.
    public var dueAt: Timestamp?
    /// When the grant clock should look at it: some days before it ends, then at its end; nil for never.
    public var clockAt: Timestamp?
    /// When the provider wants to be asked whether the access token still holds; nil for never.
    public var validateAt: Timestamp?

    /// The provider's own id of the account.
    public var subject: String
    /// What the provider shows for the account, when it says.
    public var displayName: String?
    /// The client id the tokens were issued to: a refresh token is presented with no other.
    public var clientID: String
    /// How often the refresh token was redeemed since consent: a new consent and each refresh add one.
    public var generation: UInt64
    public var health: Health
    /// The store's sequence when this was written; 0 before the first write. Compare-and-set uses it.
    public var version: UInt64

    public init(
        user: UserID, platform: PlatformName, accessToken: Secret, refreshToken: Secret? = nil,
        tokenType: String = "Bearer", scope: String = "", expiresAt: Timestamp? = nil, createdAt: Timestamp,
        updatedAt: Timestamp, consentedAt: Timestamp, endsAt: Timestamp? = nil, dueAt: Timestamp? = nil,
        clockAt: Timestamp? = nil, validateAt: Timestamp? = nil, subject: String, displayName: String? = nil,
        clientID: String, generation: UInt64 = 1, health: Health = .healthy, version: UInt64 = 0
    ) {
        self.user = user
        self.platform = platform
        self.accessToken = accessToken
        self.refreshToken = refreshToken
        self.tokenType = tokenType
        self.scope = scope
        self.expiresAt = expiresAt
        self.createdAt = createdAt
        self.updatedAt = updatedAt
        self.consentedAt = consentedAt
        self.endsAt = endsAt
        self.dueAt = dueAt
        self.clockAt = clockAt
        self.validateAt = validateAt
        self.subject = subject
        self.displayName = displayName
        self.clientID = clientID
        self.generation = generation
        self.health = health
        self.version = version
    }
}

/// Whether a grant can be used.
public enum Health: Sendable, Equatable {
    /// As far as we know, it works.
    case healthy
    /// It works and will end soon, whoever uses it. Said to those who look; what is stored is `healthy`.
    case expiring
    /// The grant is dead: only a new consent helps. Never refreshed again.
    case reconnect(reason: String)
    /// A redemption was begun and its outcome is unknown (a crash, a lost answer, a restored backup).
    case uncertain
    /// Our registration at the provider is at fault; tokens are kept.
    case operatorAction(reason: String)

    /// Whether the grant is dead, for whatever reason.
    public var isDead: Bool {
        if case .reconnect = self { true } else { false }
    }

    /// The word used in JSON: `healthy`, `expiring`, `reconnect`, `uncertain`, `operator`.
    public var name: String {
        switch self {
        case .healthy: "healthy"
        case .expiring: "expiring"
        case .reconnect: "reconnect"
        case .uncertain: "uncertain"
        case .operatorAction: "operator"
        }
    }
}
