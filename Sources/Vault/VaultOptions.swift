public import VaultBase

/// What the vault is told by the settings; every value has the default of `vault.conf`.
public struct VaultOptions: Sendable {
    /// The frontend's address: where a callback returns to, and the origin allowed by CORS.
    public var frontendURL: String
    /// Paths or URLs that `returnTo` may name, exactly.
    public var returnTo: [String] = ["/"]
    /// The JWT's `iss`: this vault's own public address.
    public var sessionIssuer: String
    /// The JWT's `aud`. Default: `vault`.
    public var sessionAudience = "vault"
    /// Signing secrets by `kid`, 32 bytes at least; the first signs, all verify.
    public var sessionKeys: [(kid: String, key: Secret)]
    public var sessionAlgorithm = SessionAlgorithm.hs256
    public var sessionLifetime: Duration = .seconds(12 * 3600)
    public var sessionDelivery = SessionDelivery.fragment
    public var loginLifetime: Duration = .seconds(600)
    /// How many logins may be under way at one time: anybody may begin one, and each takes room in the store.
    public var loginLimit = 100_000
    /// How long before an access token ends it counts as about to expire.
    public var refreshMargin: Duration = .seconds(60)
    /// How long one call to a provider may take.
    public var providerTimeout: Duration = .seconds(15)
    /// How long a disconnect waits for the provider's revocation before it deletes and says `pending`.
    public var revocationPatience: Duration = .seconds(10)
    /// Refresh tokens before anybody asks. Default: off.
    public var refreshAhead = false
    /// How long before a grant ends its user is warned; at most half the grant's life.
    public var warnBefore: Duration = .seconds(14 * 86_400)
    /// How long a revocation that the provider could not take is tried again; then the tokens go.
    public var revocationLifetime: Duration = .seconds(3 * 86_400)
    /// Who is told of events.
    public var webhooks: [Webhook] = []
    /// How long an event can be looked up and told again.
    public var eventKeep: Duration = .seconds(30 * 86_400)
    /// How many events there may be; the oldest make room.
    public var eventLimit = 100_000
    /// How long telling a receiver is tried.
    public var eventPatience: Duration = .seconds(3 * 86_400)
    public var sweepInterval: Duration = .seconds(60)
    /// How long an ended connection stays before it is removed; what nobody brings back goes at once.
    public var sweepGrace: Duration = .seconds(24 * 3600)
    /// The lifetime of every record, where the operator limits it.
    public var recordLifetime: Duration?
    /// Backups the service makes by itself; nil for none.
    public var backups: BackupSchedule?

    public init(frontendURL: String, sessionIssuer: String, sessionKeys: [(kid: String, key: Secret)]) {
        self.frontendURL = frontendURL
        self.sessionIssuer = sessionIssuer
        self.sessionKeys = sessionKeys
    }
}

/// How a finished login hands the session to the frontend.
public enum SessionDelivery: String, Sendable, CaseIterable { case fragment, cookie, code }
