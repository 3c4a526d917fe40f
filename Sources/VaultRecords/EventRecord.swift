public import VaultBase

/// Something that happened to a connection, for those who want to be told: written in the same transaction as
/// the change itself, so there is one event for each change, whatever crashes. It holds no token.
public struct EventRecord: Sendable, Equatable {
    /// Its place in the order of events: the store's sequence when it was written; 0 before.
    public var number: UInt64 = 0
    /// What receivers tell it by, however often it comes: `evt_` and 128 random bits.
    public var id: String
    public var kind: Kind
    public var user: UserID
    public var platform: PlatformName
    public var at: Timestamp
    /// Until when it can be looked up and told again.
    public var endsAt: Timestamp
    public var facts: Facts
    /// One for each receiver, in the order they were found in the settings; nil before it was handed out.
    public var deliveries: [Delivery]?

    /// What happened, by the name that receivers and settings use.
    public enum Kind: UInt8, Sendable, CaseIterable {
        case connected = 1
        case refreshedAfterFailure = 2
        case reconnectNeeded = 3
        case expiring = 4
        case scopeNarrowed = 5
        case revoked = 6
        case uncertain = 7
        case revocationEnded = 8

        /// Full-stop delimited, as Standard Webhooks has it.
        public var name: String {
            switch self {
            case .connected: "connection.connected"
            case .refreshedAfterFailure: "connection.refreshed_after_failure"
            case .reconnectNeeded: "connection.reconnect_needed"
            case .expiring: "connection.expiring"
            case .scopeNarrowed: "connection.scope_narrowed"
            case .revoked: "connection.revoked"
            case .uncertain: "connection.uncertain"
            case .revocationEnded: "connection.revocation_ended"
            }
        }
    }

    /// What there is to say about it; what does not apply is nil.
    public struct Facts: Sendable, Equatable {
        /// Why: a code such as `invalid_grant`.
        public var reason: String?
        /// When the grant ends.
        public var grantEndsAt: Timestamp?
        /// The scopes that are missing, space separated.
        public var missingScope: String?
        /// What the provider said to the revocation: `yes`, `no`, `unsupported` or `pending`.
        public var revoked: String?
        /// Who asked for it, where it was not the user: `service:NAME` or `operator`.
        public var by: String?

        public init(
            reason: String? = nil, grantEndsAt: Timestamp? = nil, missingScope: String? = nil,
            revoked: String? = nil, by: String? = nil
        ) {
            self.reason = reason
            self.grantEndsAt = grantEndsAt
            self.missingScope = missingScope
            self.revoked = revoked
            self.by = by
        }
    }

    /// How far telling one receiver has come.
    public struct Delivery: Sendable, Equatable {
        public enum State: UInt8, Sendable { case pending, delivered, dead }
        /// The receiver's name in the settings.
        public var receiver: String
        public var state: State
        public var attempts: Int
        /// Since when it is tried: what its patience counts from.
        public var since: Timestamp
        /// When to try (again).
        public var nextAt: Timestamp
        /// How the last attempt failed.
        public var code: String?

        public init(
            receiver: String, state: State = .pending, attempts: Int = 0, since: Timestamp, nextAt: Timestamp,
            code: String? = nil
        ) {
            self.receiver = receiver
            self.state = state
            self.attempts = attempts
            self.since = since
            self.nextAt = nextAt
            self.code = code
        }
    }

    /// Whether somebody still has to be told.
    public var isPending: Bool { deliveries?.contains { $0.state == .pending } ?? true }
    /// Whether somebody could not be told.
    public var isDead: Bool { deliveries?.contains { $0.state == .dead } ?? false }

    public init(
        id: String, kind: Kind, user: UserID, platform: PlatformName, at: Timestamp, endsAt: Timestamp,
        facts: Facts = Facts()
    ) {
        self.id = id
        self.kind = kind
        self.user = user
        self.platform = platform
        self.at = at
        self.endsAt = endsAt
        self.facts = facts
    }
}
