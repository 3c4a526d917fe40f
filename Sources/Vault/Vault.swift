public import Logging
public import Metrics
public import ServiceLifecycle
import Synchronization
public import VaultBase
public import VaultProviders
public import VaultRecords

/// The vault: logins, tokens, refreshes and sessions over sealed records.
///
/// Everything a facade or a command does goes through here: `Login/` begins and finishes logins, `Refresh/`
/// keeps tokens fresh, `Sessions/` knows who is asking. As a `Service` (`Service/`) it sweeps what ended,
/// refreshes ahead and, when it is told to stop, finishes the redemptions in flight.
public final class Vault: Service {
    /// This program's version, as providers see it in `User-Agent`.
    public static let version = "0.1.0"

    public let records: Records
    public let platforms: PlatformDirectory
    public let options: VaultOptions

    let logger: Logger
    let observation: Observation
    let provider: ProviderCalls
    let refresher: Refresher
    let sessionTokens: SessionTokens
    let logins = Flights<String, LoginRecord>()
    let renewals = Flights<String, (SessionRecord, isNew: Bool)>()
    let disconnections = Flights<ConnectionName, Disconnection>()
    let clockWatch: Mutex<ClockWatch>
    /// The platforms that `/metrics` shows.
    let measuredPlatforms = Mutex<Set<PlatformName>>([])
    /// Until when no scheduled backup is tried again; nil when the last one went well.
    let backupPause = Mutex<Timestamp?>(nil)
    /// When this process made the newest full backup and the increments after it, by the wall clock.
    let backupMoments = Mutex<[String: Timestamp]>([:])
    /// Redemptions begun by an earlier process and never finished.
    let leftovers: [Redemption]
    let teller: Teller
    let outbox: Outbox
    let cooldowns: Cooldowns

    /// Bootstrap logging and metrics first: counters are made here.
    ///
    /// Redemptions that an earlier process left behind are noted here, before any request can begin one.
    ///
    /// - Parameter webhooks: carries events to the receivers of the options; needed where there are any.
    public init(
        records: Records, platforms: PlatformDirectory, transport: any Transport, options: VaultOptions,
        logger: Logger, webhooks: (any WebhookTransport)? = nil, metrics: any MetricsFactory = MetricsSystem.factory
    ) {
        self.records = records
        self.platforms = platforms
        self.options = options
        self.logger = logger
        clockWatch = Mutex(ClockWatch(lastWrite: try? records.status().lastWrite))
        leftovers = (try? records.read { try $0.redemptions() }) ?? []
        observation = Observation(platforms, factory: metrics)
        provider = ProviderCalls(
            platforms, transport: transport, clock: records.clock, timeout: options.providerTimeout,
            observation: observation, logger: logger)
        let teller = Teller(options)
        let cooldowns = Cooldowns((try? records.read { try $0.cooldowns() }) ?? [:])
        self.teller = teller
        self.cooldowns = cooldowns
        let (observing, carrier) = (observation, webhooks)
        outbox = Outbox(
            herald: Herald(records: records, webhooks: options.webhooks, observation: observation, logger: logger),
            couriers: options.webhooks.compactMap { webhook in
                carrier.map {
                    Courier(
                        webhook, records: records, transport: $0, options: options, observation: observing,
                        logger: logger)
                }
            }, bell: teller.bell)
        refresher = Refresher(
            records: records, provider: provider, options: options, observation: observation, logger: logger,
            teller: teller, cooldowns: cooldowns)
        sessionTokens = SessionTokens(
            issuer: options.sessionIssuer, audience: options.sessionAudience, secrets: options.sessionKeys,
            algorithm: options.sessionAlgorithm)
    }

    /// The user's connections, for `GET /auth/session` and `vault connections`, in order of platform, as they
    /// are stored: the caller leaves the tokens out.
    ///
    /// A record that does not open is logged and left out. One that has ended and cannot be refreshed shows as
    /// `reconnect`, one whose grant ends soon as `expiring`.
    public func connections(of user: UserID) throws -> [Connection] {
        try records.read { [logger] view in
            let connections = try view.connections(of: user) { damaged in
                // One bad record hides no other.
                logger.error(
                    "record.damaged",
                    metadata: ["user": "\(user)", "platform": "\(damaged.name?.platform.rawValue ?? "unknown")"])
            }
            return connections.map { shown($0, now: view.now) }
        }
    }

    /// The connection as those who look should see it.
    func shown(_ connection: Connection, now: Timestamp) -> Connection {
        guard connection.health == .healthy else { return connection }
        var connection = connection
        let renews = platforms.renews(connection.platform)
        if connection.refreshToken == nil, !renews, let ends = connection.expiresAt, ends <= now {
            connection.health = .reconnect(reason: "no-refresh-token")
        } else if connection.isExpiring(at: now, warning: options.warnBefore, renews: renews) {
            connection.health = .expiring
        }
        return connection
    }
}

/// A login that has begun.
public struct LoginStart: Sendable {
    /// Where to send the browser; empty where the platform gives its token to the browser by a script of its own.
    public var authorizationURL: String
    /// What such a script needs, and what the token comes back with.
    public var handover: Handover?
    public var expiresAt: Timestamp
    /// The value of the cookie that binds the login to this browser.
    public var binding: Secret
}

/// What a browser needs to get a token from the platform itself and to hand it in.
public struct Handover: Sendable {
    /// Good for one login in one browser.
    public var state: String
    /// Says who we are, where the platform wants that (Apple's developer token).
    public var clientToken: ClientToken?
}

/// How a login ended; the facade turns it into a redirect to the frontend.
public enum LoginEnd: Sendable {
    case connected(IssuedSession, returnTo: String?)
    /// `code` is a stable name for the frontend: `access_denied`, `restart-login`, `retry`, `operator`, `account-in-use` …
    case failed(code: String, returnTo: String?)
}

/// A session and the JWT that proves it.
public struct IssuedSession: Sendable {
    public var record: SessionRecord
    public var token: Secret
}

/// An access token as it is handed to a frontend; never with a refresh token.
public struct AccessToken: Sendable {
    public var accessToken: Secret
    public var tokenType: String
    public var expiresAt: Timestamp?
    public var scope: String
    /// What the platform's API wants beside it, where it wants to know the client, too.
    public var clientToken: ClientToken?
}

/// What became of a disconnect.
public struct Disconnection: Sendable {
    public enum Revocation: String, Sendable { case yes, no, unsupported, pending }
    public var deleted: Bool
    public var revoked: Revocation
}
