import ArgumentParser
import Logging
import Metrics
import ServiceLifecycle
import UnixSignals
import Vault
import VaultBase
import VaultCrypto
import VaultHTTP
import VaultProviders
import VaultRecords
import VaultStore
import VaultTesting

/// `vault serve`
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Serve the vault over HTTP until it is told to stop.",
        usage: "vault serve [<options>]",
        discussion: """
            vault serve --sandbox --demo --init-if-missing
            vault serve --config /etc/vault/vault.conf
            SPOTIFY_CLIENT_ID=… SPOTIFY_CLIENT_SECRET=… vault serve

            Stops cleanly on SIGTERM and Ctrl-C: what is in flight is finished first.
            """)

    @Flag(help: "Run a provider to try things with, and a platform named sandbox that uses it.")
    var sandbox = false

    @Flag(help: "Serve the demo page at / (the setting frontend.demo).")
    var demo = false

    @Flag(help: "Make a key and a vault if there are none.")
    var initIfMissing = false

    @OptionGroup var common: CommonOptions

    func run() async throws {
        let environment = ProcessRules.environment
        var settings = try common.settings(environment: environment)
        LogSetup.start(format: settings[\.logFormat], level: settings[\.logLevel])
        let logger = Logger(label: "vault")
        let metrics = PrometheusMetrics()
        MetricsSystem.bootstrap(metrics)
        for notice in settings.notices { logger.notice("\(notice)") }

        if demo { settings.override(\.demo, with: .text("true"), "--demo") }
        try settings.chooseFreePorts(sandbox: sandbox)
        if initIfMissing, await InitCommand.isMissing(settings[\.storePath]) {
            _ = try await InitCommand.make(settings, environment: environment)
            logger.notice("made a new vault", metadata: ["store": "\(settings[\.storePath])"])
        }

        let failures = StoreFailures()
        var request = OpenVault.Request(settings: settings, environment: environment, logger: logger)
        request.onFailure = { failures.report($0) }
        let trial = sandbox ? SandboxPlatform(settings: settings) : nil
        if let trial { request.extra = { [trial.entry($0)] } }
        let opened = try await OpenVault.open(request)
        logState(opened, logger)

        var services: [any Service] = []
        // Stopped in reverse: first nobody new comes in, then the vault finishes, last the provider goes.
        if let trial { services.append(Sandbox(options: trial.options, logger: logger)) }
        let reload = Reload(
            running: settings, options: common, vault: opened.vault, loaded: opened.loaded, extra: request.extra,
            logger: logger)
        services += [failures, reload, opened.vault]
        services.append(
            AdminSocketServer(
                store: settings[\.storePath],
                administration: LocalAdministration(
                    vault: opened.vault, loaded: opened.loaded, servingSince: SystemClock().now(),
                    checker: opened.checker, reload: { try await reload.reload() }),
                logger: logger))
        services += listeners(opened.vault, settings, metrics, logger)
        do {
            var group = ServiceGroupConfiguration(
                services: services.map {
                    .init(
                        service: $0, successTerminationBehavior: .gracefullyShutdownGroup,
                        failureTerminationBehavior: .gracefullyShutdownGroup)
                },
                gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
            // Long enough for a redemption in flight and its answer; then whoever still holds on is let go.
            group.maximumGracefulShutdownDuration = settings[\.providerTimeout] * 2 + .seconds(10)
            try await ServiceGroup(configuration: group).run()
        } catch {
            await opened.store.close()
            throw Self.words(error, settings)
        }
        await opened.store.close()
        logger.notice("stopped")
    }

    private func listeners(
        _ vault: Vault, _ settings: Settings, _ metrics: PrometheusMetrics, _ logger: Logger
    ) -> [any Service] {
        let admin = settings[\.admin]
        let isTrial = sandbox
        return [
            AdminListener(
                vault: vault, host: admin.host, port: admin.port, metrics: { metrics.render() }, logger: logger
            ) { port in
                logger.info("metrics and health are ready", metadata: ["url": "http://\(admin.host):\(port)"])
            },
            Facade(vault: vault, options: facadeOptions(settings), logger: logger) { _ in
                logger.notice("ready", metadata: ["url": "\(settings.publicURL)"])
                guard Terminal.errorIsTerminal else { return }
                Terminal.say("\nvault is at \(settings.publicURL)")
                Terminal.say(Self.next(settings, isTrial) + "\n")
            },
        ]
    }

    private static func next(_ settings: Settings, _ isTrial: Bool) -> String {
        if settings[\.demo] {
            return "next: open it in a browser\(isTrial ? " and connect at Sandbox" : ""); Ctrl-C stops it"
        }
        return "next: \(settings.publicURL)/auth/platforms lists the platforms; Ctrl-C stops it"
    }

    private func facadeOptions(_ settings: Settings) -> Facade.Options {
        var options = Facade.Options()
        options.host = settings[\.listen].host
        options.port = settings[\.listen].port
        options.demo = settings[\.demo]
        if !settings[\.certificates].isEmpty {
            options.tls = (settings[\.certificates], settings[\.certificateKey])
        }
        options.trustedProxies = settings[\.trustedProxies]
        options.allowedOrigins = settings.allowedOrigins
        options.loginsPerMinute = settings[\.loginLimit]
        options.refreshesPerMinute = settings[\.refreshLimit]
        return options
    }

    private func logState(_ opened: OpenVault, _ logger: Logger) {
        if GuardedKey.lockingFailed {
            logger.warning(
                "keys could not be locked in memory and may reach the swap",
                metadata: ["hint": "raise the limit: LimitMEMLOCK=64M in the unit, or ulimit -l"])
        }
        if (try? opened.vault.records.rotationStatus().isUnfinished) == true {
            logger.warning(
                "a rotation of the data keys is not finished", metadata: ["hint": "vault rotate goes on with it"])
        }
        for report in opened.plugins {
            guard let fault = report.fault else { continue }
            logger.warning(
                "a plugin cannot be used: \(fault.message)",
                metadata: ["file": "\(report.path)", "hint": "\(fault.hint ?? "see: vault plugins")"])
        }
        for entry in opened.vault.platforms.entries {
            if let fault = entry.fault {
                logger.warning(
                    "platform \(entry.name) is not available: \(fault.message)",
                    metadata: ["platform": "\(entry.name)", "hint": "\(fault.hint ?? "see: vault plugins")"])
            } else {
                logger.info("platform \(entry.name) is available", metadata: ["platform": "\(entry.name)"])
            }
        }
    }

    /// A listener's error in our words; most often the port is taken.
    private static func words(_ error: any Error, _ settings: Settings) -> any Error {
        if error is VaultError || error is CancellationError { return error }
        guard let taken = ListenerFault.isAddressInUse(error) else { return error }
        return taken
            ? VaultError(
                .unavailable, "a port is taken already: \(settings[\.listen]) or \(settings[\.admin])",
                hint: "is another vault running? choose others with --listen and --admin", cause: error)
            : VaultError(
                .unavailable, "cannot listen on \(settings[\.listen]) or \(settings[\.admin])",
                hint: "look at both addresses", cause: error)
    }
}
