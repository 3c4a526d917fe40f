import Logging
import Metrics
import ServiceLifecycle
import VaultBase
import VaultCrypto
import VaultHTTP

/// The two files of `[tls]`: read at the start, and again on SIGHUP or when they change.
///
/// A pair that cannot be used is told, and the pair there is stays: a failed renewal ends no service.
actor CertificateFiles: Service {
    /// What the listener shows.
    nonisolated let identity: TLSIdentity
    private let certificates: String
    private let key: String
    private let interval: Duration
    private let logger: Logger
    private let end: Gauge
    /// What was in the files when they were last taken in, or told to be wrong.
    private var known: [UInt8]?

    /// How often the files are looked at. They are two, so a change counts when it is the same twice.
    static let interval = Duration.seconds(5)

    /// - Throws: `file`, `not-found` for files that cannot be used.
    init(certificates: String, key: String, logger: Logger, interval: Duration = CertificateFiles.interval)
        throws(VaultError)
    {
        self.certificates = certificates
        self.key = key
        self.interval = interval
        self.logger = logger
        let pair = try Self.read(certificates, key)
        do {
            identity = try TLSIdentity(certificates: pair.certificates, key: pair.key)
        } catch {
            throw Self.named(error, certificates, key)
        }
        known = pair.digest
        end = Gauge(label: "vault_tls_certificate_end")
        end.record(identity.endsAt.seconds)
    }

    /// Those of the settings; nil when there are none.
    init?(_ settings: Settings, logger: Logger) throws(VaultError) {
        guard !settings[\.certificates].isEmpty else { return nil }
        try self.init(certificates: settings[\.certificates], key: settings[\.certificateKey], logger: logger)
    }

    func run() async throws {
        tellEnd()
        try? await cancelWhenGracefulShutdown { [interval] in
            var seen: [UInt8]?
            while true {
                try await Task.sleep(for: interval)
                // The key is wiped again at the end of each look.
                let digest = try? Self.read(self.certificates, self.key).digest
                if let digest, await digest != self.known, digest == seen { await self.reload() }
                seen = digest
            }
        }
    }

    /// Takes in what the files hold now.
    func reload() {
        do throws(VaultError) {
            let pair = try Self.read(certificates, key)
            guard pair.digest != known else { return }
            known = pair.digest
            try identity.replace(certificates: pair.certificates, key: pair.key)
            end.record(identity.endsAt.seconds)
            logger.notice("the TLS certificate was replaced", metadata: ["ends": "\(identity.endsAt.iso8601)"])
            tellEnd()
        } catch {
            let fault = Self.named(error, certificates, key)
            logger.error(
                "\(fault.message); the one there is stays",
                metadata: ["hint": "\(fault.hint ?? "")", "ends": "\(identity.endsAt.iso8601)"])
        }
    }

    private func tellEnd() {
        let left = identity.endsAt - SystemClock().now()
        guard left < .seconds(14 * 86_400) else { return }
        logger.warning(
            left > .zero ? "the TLS certificate ends soon" : "the TLS certificate has ended: no browser accepts it",
            metadata: [
                "file": "\(certificates)", "ends": "\(identity.endsAt.iso8601)",
                "hint": "put a new one in its place: it is taken in by itself",
            ])
    }

    private static func read(_ certificates: String, _ key: String) throws(VaultError) -> (
        certificates: [UInt8], key: Secret, digest: [UInt8]
    ) {
        let chain = try PrivateFile.read(certificates, limit: 1 << 20, mode: .secret)
        let key = Secret(bytes: try PrivateFile.read(key, limit: 1 << 20, mode: .secret))
        return (chain, key, key.withBytes { Digest.sha256(chain + $0) })
    }

    private static func named(_ error: VaultError, _ certificates: String, _ key: String) -> VaultError {
        guard error.code == .file, error.cause != nil else { return error }
        return VaultError(
            .file, "tls.certificates \(certificates) and tls.key \(key) cannot be used", hint: error.hint,
            cause: error.cause)
    }
}
