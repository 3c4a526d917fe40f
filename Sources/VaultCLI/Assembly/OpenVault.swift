import Logging
import Vault
import VaultBase
import VaultCrypto
import VaultProviders
import VaultRecords
import VaultStore

/// A vault that is open in this process, with what was needed to open it.
struct OpenVault: Sendable {
    let vault: Vault
    let store: any Store
    /// What is loaded now: nothing here holds on to what a reload replaced.
    let loaded: LoadedPlugins
    var plugins: [PluginReport] { loaded.reports }
    /// Checks the store from a child process, which this one outlives.
    let checker: LocalAdministration.Checker

    /// How a vault is opened.
    struct Request: Sendable {
        var settings: Settings
        var environment: [String: String]
        var logger: Logger
        /// Platforms besides those of the settings.
        var extra: @Sendable ([PluginReport]) -> [PlatformDirectory.Entry] = { _ in [] }
        /// The providers that those need.
        var extraProviders: Set<String> = []
        /// Whether plugins are loaded; without, every platform is unavailable.
        var loadsPlugins = true
        /// Whether the vault is served, which then makes backups by itself and tells webhooks of events.
        var serves = false
        /// Called when the disk has failed and no write can work any more.
        var onFailure: (@Sendable (VaultError) -> Void)?
    }

    /// - Throws: `no-store`, `locked`, `wrong-key`, `settings` and what else stops a vault from opening.
    static func open(_ request: Request) async throws -> OpenVault {
        let settings = request.settings
        let source = try RootKeySource(settings, environment: request.environment)
        let key = try source.fetch(environment: request.environment, logger: request.logger)
        let sessionKeys = try SessionKeys.fetch(settings, key: source, environment: request.environment)
        for key in sessionKeys { Redaction.shared.register(key.key) }
        let backups = request.serves ? try BackupRecipients.schedule(settings, request.environment) : nil

        var options = storeOptions(settings)
        options.onFailure = request.onFailure
        try StoreFolder.checkReplacement(of: settings[\.storePath], .noStore)
        let store = try LMDBStore.open(at: settings[\.storePath], options: options)
        do {
            let records = try Records.open(store, with: key)
            let path = settings[\.storePath]
            let checker: LocalAdministration.Checker = { step in
                defer { store.forgetDeadReaders() }
                return try await CheckChild.beside(path, key: records.key, step)
            }
            if request.serves, store.isInDoubt { try await settleDoubt(of: store, checker, request.logger) }
            let plugins = request.loadsPlugins ? await firstPlugins(request) : []
            let assembly = PlatformAssembly(settings: settings, reports: plugins, environment: request.environment)
            let platforms = try assembly.directory(extra: request.extra(plugins))
            let transport = HTTPTransport()
            var options = vaultOptions(settings, sessionKeys, backups)
            if request.serves { options.webhooks = try webhooks(settings, environment: request.environment) }
            let vault = Vault(
                records: records, platforms: platforms, transport: transport, options: options,
                logger: request.logger, webhooks: transport)
            return OpenVault(
                vault: vault, store: store, loaded: LoadedPlugins(plugins, clientIDs: settings.clientIDs),
                checker: checker)
        } catch {
            await store.close()
            throw error
        }
    }

    /// The disk failed under a write before this start: nothing is served before the whole store was looked at.
    ///
    /// - Throws: `damaged` when it is not sound; and what a check throws that cannot be made.
    private static func settleDoubt(
        of store: LMDBStore, _ checker: LocalAdministration.Checker, _ logger: Logger
    ) async throws {
        logger.warning("the disk failed under an earlier write: the whole store is checked before it is served")
        let check = try await checker { _, _ in }
        guard check.sound else {
            throw VaultError(
                .damaged, "the store is not sound after a failed disk: \(Words.count(check.problems.count, "problem"))",
                hint: "look with vault check, then restore the newest backup: vault restore FILE --into DIR")
        }
        try store.settleDoubt()
        logger.notice("the store is sound", metadata: ["connections": "\(check.connections)"])
    }

    private static func firstPlugins(_ request: Request) async -> [PluginReport] {
        guard request.serves else { return await Plugins.load(request.settings) }
        return await Plugins.load(request.settings, enoughFor: request.extraProviders)
    }

    static func storeOptions(_ settings: Settings) -> LMDBStore.Options {
        var options = LMDBStore.Options()
        options.quota = settings[\.quota]
        return options
    }

    private static func webhooks(
        _ settings: Settings, environment: [String: String]
    ) throws(VaultError) -> [Webhook] {
        var webhooks: [Webhook] = []
        for section in settings.webhooks {
            guard let reference = section[\.secret] else { continue }
            let secret = try reference.fetch("webhooks.\(section.name).secret", environment: environment)
            Redaction.shared.register(secret)
            webhooks.append(try section.webhook(secret: secret))
        }
        return webhooks
    }

    private static func vaultOptions(
        _ settings: Settings, _ keys: [(kid: String, key: Secret)], _ backups: BackupSchedule?
    ) -> VaultOptions {
        var options = VaultOptions(
            frontendURL: settings.frontendURL, sessionIssuer: settings.publicURL, sessionKeys: keys)
        options.returnTo = settings[\.returnTo]
        options.sessionAlgorithm = settings[\.sessionAlgorithm]
        options.sessionAudience = settings[\.audience]
        options.sessionLifetime = settings[\.sessionLifetime]
        options.sessionDelivery = settings[\.delivery]
        options.loginLifetime = settings[\.loginLifetime]
        options.refreshMargin = settings[\.refreshMargin]
        options.refreshAhead = settings[\.refreshAhead]
        options.providerTimeout = settings[\.providerTimeout]
        options.sweepInterval = settings[\.sweepInterval]
        options.sweepGrace = settings[\.sweepGrace]
        options.recordLifetime = settings[\.recordLifetime]
        options.backups = backups
        options.warnBefore = settings[\.warnBefore]
        options.eventPatience = settings[\.eventPatience]
        options.eventKeep = settings[\.eventKeep]
        options.eventLimit = settings[\.eventLimit]
        return options
    }
}

/// The plugin folder, as the settings say.
enum Plugins {
    /// As ``PluginFolder/load(keeping:only:)``.
    static func load(
        _ settings: Settings, keeping earlier: [PluginReport] = [], only wanted: Set<String>? = nil
    ) async -> [PluginReport] {
        await folder(settings).load(keeping: earlier, only: wanted)
    }

    /// Those that the settings and `extra` ask for, where a file of each one's name provides it; all of them otherwise.
    /// Each costs a process, and a server that starts has people waiting: it looks at the others later
    /// (``Reload/complete()``).
    static func load(_ settings: Settings, enoughFor extra: Set<String>) async -> [PluginReport] {
        let wanted = extra.union((settings.platforms + settings.unclaimed).map(\.provider))
        let folder = folder(settings)
        let first = await folder.load(only: Set(wanted.map { "\($0).so" }))
        let found = Set(first.compactMap { $0.provider?.description.id })
        return wanted.isSubset(of: found) ? first : await folder.load(keeping: first)
    }

    private static func folder(_ settings: Settings) -> PluginFolder {
        let pins = (try? PluginPins.read(settings[\.pins])) ?? [:]
        return PluginFolder(
            path: settings[\.plugins], isolation: settings[\.isolation], isolations: settings.isolations,
            hostProgram: [ProcessRules.program, "plugin-host"], pins: pins,
            sha256: { Digest.sha256($0) })
    }
}
