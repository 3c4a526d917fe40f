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
        LogSetup.start(format: settings[\.logFormat], level: settings[\.logLevel], serves: true)
        let logger = Logger(label: "vault")
        let metrics = PrometheusMetrics()
        MetricsSystem.bootstrap(metrics)
        for notice in settings.notices { logger.notice("\(notice)") }

        if demo { settings.override(\.demo, with: .text("true"), "--demo") }
        try settings.chooseFreePorts(sandbox: sandbox)
        if initIfMissing, await InitCommand.isMissing(settings[\.storePath]) {
            _ = try await InitCommand.make(settings, environment: environment)
            logger.notice("made a new vault", metadata: ["store": "\(settings[\.storePath])"])
            logger.notice(
                "without \(settings[\.keySource]) all is lost: keep a copy; vault key add recovery prints one")
        }

        let certificates = try CertificateFiles(settings, logger: logger)
        ProcessRules.allowDescriptors(settings[\.connectionLimit] + ProcessRules.ownDescriptors)

        let manager = ServiceManager(environment: environment)
        let failures = StoreFailures()
        var request = OpenVault.Request(settings: settings, environment: environment, logger: logger)
        request.onFailure = { failures.report($0) }
        request.serves = true
        let trial = sandbox ? SandboxPlatform(settings: settings) : nil
        if let trial {
            request.extra = { [trial.entry($0)] }
            request.extraProviders = ["sandbox"]
        }
        let opened = try await OpenVault.open(request)
        logState(opened, logger)

        var services: [any Service] = []
        // Stopped in reverse: first nobody new comes in, then the vault finishes, last the provider goes.
        if let trial { services.append(Sandbox(options: trial.options, logger: logger)) }
        let reload = Reload(
            running: settings, options: common, vault: opened.vault, loaded: opened.loaded, extra: request.extra,
            certificates: certificates, manager: manager, logger: logger)
        services += [failures, reload, opened.vault]
        services.append(
            AdminSocketServer(
                store: settings[\.storePath],
                administration: LocalAdministration(
                    vault: opened.vault, loaded: opened.loaded, servingSince: SystemClock().now(),
                    checker: opened.checker, reload: { try await reload.reload() }, settle: { await reload.settle() }),
                logger: logger))
        do {
            services +=
                try Listeners(
                    vault: opened.vault, settings: settings, metrics: metrics, certificates: certificates,
                    manager: manager, isTrial: sandbox, logger: logger,
                    bound: {
                        await reload.complete()
                        ProgramPages.letGo()
                    }
                ).services() + [manager]
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
        logger.warn(of: opened.plugins)
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
        let addresses = [settings[\.listen], settings[\.admin], settings[\.redirect]].compactMap { $0?.description }
            .joined(separator: " or ")
        return taken
            ? VaultError(
                .unavailable, "a port is taken already: \(addresses)",
                hint: "is another vault running? choose others with --listen and --admin", cause: error)
            : VaultError(
                .unavailable, "cannot listen on \(addresses)",
                hint: "look at the addresses; a port below 1024 needs AmbientCapabilities=CAP_NET_BIND_SERVICE",
                cause: error)
    }
}
