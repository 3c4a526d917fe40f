import Logging
import Metrics
import VaultBase
import VaultProviders
import VaultRecords

/// The vault's counters and timers, by the names that `/metrics` shows.
///
/// Labels are platforms and outcomes, never users: their number stays small. The counters of the hot path are
/// made once, so the metrics system must be bootstrapped before the vault is made.
struct Observation: Sendable {
    private let tokenReads: [PlatformName: Counter]
    private let sessionChecks: Counter
    private let sessionRefusals: Counter
    private let factory: any MetricsFactory

    init(_ platforms: PlatformDirectory, factory: any MetricsFactory) {
        self.factory = factory
        sessionChecks = Counter(
            label: "vault_session_checks_total", dimensions: [("outcome", "ok")], factory: factory)
        sessionRefusals = Counter(
            label: "vault_session_checks_total", dimensions: [("outcome", "refused")], factory: factory)
        var reads: [PlatformName: Counter] = [:]
        for entry in platforms.entries {
            reads[entry.name] = Counter(
                label: "vault_token_reads_total", dimensions: [("platform", entry.name.rawValue)], factory: factory)
        }
        tokenReads = reads
        // Shown at 0: of a counter that begins at 1, nobody sees that it grew.
        for entry in platforms.entries {
            for outcome in Self.refreshOutcomes { count("vault_refreshes_total", entry.name, outcome, by: 0) }
        }
        for outcome in ["ok", "failed"] { backup(outcome, by: 0) }
    }

    private static let refreshOutcomes =
        ["ok", "overtaken", "unsaved", "uncertain", "interrupted"]
        + [FailureClass.reconnect, .restartLogin, .retry, .operatorAction].map(\.rawValue)

    func tokenRead(_ platform: PlatformName) {
        // One that came with a reload has its counter looked up each time.
        let counter =
            tokenReads[platform]
            ?? Counter(
                label: "vault_token_reads_total", dimensions: [("platform", platform.rawValue)], factory: factory)
        counter.increment()
    }
    func sessionChecked(_ valid: Bool) { (valid ? sessionChecks : sessionRefusals).increment() }

    func login(_ platform: PlatformName, _ outcome: String) { count("vault_logins_total", platform, outcome) }
    func exchange(_ platform: PlatformName, _ outcome: String) { count("vault_exchanges_total", platform, outcome) }
    func refresh(_ platform: PlatformName, _ outcome: String) { count("vault_refreshes_total", platform, outcome) }
    func disconnect(_ platform: PlatformName, _ outcome: String) {
        count("vault_disconnects_total", platform, outcome)
    }

    func event(_ kind: EventRecord.Kind) {
        Counter(label: "vault_events_total", dimensions: [("type", kind.name)], factory: factory).increment()
    }

    func webhook(_ name: String, _ outcome: String, by number: Int = 1) {
        Counter(
            label: "vault_webhook_deliveries_total", dimensions: [("webhook", name), ("outcome", outcome)],
            factory: factory
        ).increment(by: number)
    }

    /// - Parameter name: one of the keys there are, or `none`: their number is limited.
    func service(_ name: String, _ action: String, _ outcome: String) {
        Counter(
            label: "vault_service_requests_total",
            dimensions: [("service", name), ("action", action), ("outcome", outcome)], factory: factory
        ).increment()
    }

    func revocation(_ platform: PlatformName, _ outcome: String) {
        count("vault_revocations_total", platform, outcome)
    }
    func validation(_ platform: PlatformName, _ outcome: String) {
        count("vault_validations_total", platform, outcome)
    }

    func providerAnswered(_ platform: PlatformName, _ stage: FlowEngine.Stage, in time: Duration) {
        let (seconds, attoseconds) = time.components
        Timer(
            label: "vault_provider_seconds",
            dimensions: [("platform", platform.rawValue), ("stage", stage.rawValue)], factory: factory
        ).recordNanoseconds(seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
    }

    func swept(_ result: SweepResult) {
        for (kind, number) in [
            ("connection", result.connections.count), ("session", result.sessions), ("login", result.logins),
            ("other", result.others),
        ] where number > 0 {
            Counter(label: "vault_swept_total", dimensions: [("kind", kind)], factory: factory).increment(by: number)
        }
    }

    func backup(_ outcome: String, by number: Int = 1) {
        Counter(label: "vault_backups_total", dimensions: [("outcome", outcome)], factory: factory)
            .increment(by: number)
    }

    func gauge(_ name: String, _ value: Int, _ dimensions: [(String, String)] = []) {
        Gauge(label: name, dimensions: dimensions, factory: factory).record(value)
    }

    private func count(_ name: String, _ platform: PlatformName, _ outcome: String, by number: Int = 1) {
        Counter(
            label: name, dimensions: [("platform", platform.rawValue), ("outcome", outcome)], factory: factory
        ).increment(by: number)
    }
}

/// What a log line may say of a connection: names, generations and codes; never a token.
func facts(
    _ user: UserID? = nil, _ platform: PlatformName, _ more: Logger.Metadata = [:]
) -> Logger.Metadata {
    var metadata = more
    metadata["platform"] = "\(platform)"
    if let user { metadata["user"] = "\(user)" }
    return metadata
}
