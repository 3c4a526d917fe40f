import Logging
import ServiceLifecycle
import UnixSignals
import Vault
import VaultBase
import VaultHTTP
import VaultProviders

/// Takes in plugins and platforms as they are now, on SIGHUP and for `vault plugins reload`; on SIGHUP the TLS
/// certificate too. Requests that have begun end with what they began with. Other settings take effect at the next start; which of them changed is said.
///
/// It never stops a server: settings that are wrong are told, and everything running stays.
actor Reload: Service {
    /// The settings the server runs with.
    private let running: Settings
    private let options: CommonOptions
    private let vault: Vault
    private let loaded: LoadedPlugins
    private let extra: @Sendable ([PluginReport]) -> [PlatformDirectory.Entry]
    private let certificates: CertificateFiles?
    private let manager: ServiceManager
    private let logger: Logger
    private var last: Task<ReloadDocument, any Error>?
    private var completion: Task<Void, Never>?

    /// - Parameter extra: as in ``OpenVault/Request``.
    init(
        running: Settings, options: CommonOptions, vault: Vault, loaded: LoadedPlugins,
        extra: @escaping @Sendable ([PluginReport]) -> [PlatformDirectory.Entry], certificates: CertificateFiles?,
        manager: ServiceManager, logger: Logger
    ) {
        self.running = running
        self.options = options
        self.vault = vault
        self.loaded = loaded
        self.extra = extra
        self.certificates = certificates
        self.manager = manager
        self.logger = logger
    }

    func run() async throws {
        for await _ in await UnixSignalsSequence(trapping: .sighup).cancelOnGracefulShutdown() {
            manager.reloading()
            await certificates?.reload()
            _ = try? await reload()
            manager.ready("serving")
        }
    }

    /// Begins to look at the plugins that the start did not wait for, unless that was begun.
    func complete() { _ = completing() }

    /// Waits until every plugin of the folder was looked at.
    func settle() async { await completing().value }

    private func completing() -> Task<Void, Never> {
        if let completion { return completion }
        let task = Task { await self.look() }
        completion = task
        return task
    }

    /// By the settings and the files of the start: what came since is for a reload, which says so.
    private func look() async {
        let before = loaded.reports
        let reports = await Plugins.load(running, keeping: before, only: Set(before.map(\.fileName)))
        // The same settings were good when the server started.
        _ = try? install(reports, of: running)
        let known = Set(before.filter { $0.provider != nil || $0.fault != nil }.map(\.path))
        logger.warn(of: reports.filter { !known.contains($0.path) })
    }

    /// One at a time; those who ask meanwhile wait and get one of their own, since files may have changed again.
    ///
    /// - Throws: `settings` when they are wrong; nothing has changed then.
    func reload() async throws -> ReloadDocument {
        let (start, before) = (completing(), last)
        let task = Task {
            await start.value
            _ = await before?.result
            return try await self.perform()
        }
        last = task
        return try await task.value
    }

    private func perform() async throws -> ReloadDocument {
        do throws(VaultError) {
            let new = try options.settings(environment: ProcessRules.environment)
            let next = Self.reloadable(new, over: running)
            let before = loaded.reports
            let reports = await Plugins.load(next, keeping: before)
            let changes = try install(reports, of: next)
            let document = ReloadDocument(
                changes, reports, before: before, needRestart: Self.changes(from: running, to: new).filter(Self.isFixed)
            )
            report(document)
            logger.warn(of: reports)
            return document
        } catch {
            logger.error(
                "the new settings are wrong, the old ones stay: \(error.message)",
                metadata: ["hint": "\(error.hint ?? "")"])
            throw error
        }
    }

    /// What stays as it was at the start, whatever vault.conf says now.
    static func isFixed(_ path: String) -> Bool {
        path != "plugins.path" && path != "plugins.pins" && !path.hasPrefix("platforms.")
    }

    /// The settings the server runs with, but for what a reload takes in.
    static func reloadable(_ new: Settings, over running: Settings) -> Settings {
        var next = running
        (next.platforms, next.unclaimed) = (new.platforms, new.unclaimed)
        for path in ["plugins.path", "plugins.pins"] { next.entries[path] = new.entries[path] }
        return next
    }

    /// Puts the plugins and the platforms made of them in place of those there are.
    private func install(
        _ reports: [PluginReport], of settings: Settings
    ) throws(VaultError) -> PlatformDirectory.Changes {
        let assembly = PlatformAssembly(settings: settings, reports: reports, environment: ProcessRules.environment)
        let entries = try assembly.directory(extra: extra(reports)).entries
        try Facade.checkNames(entries)
        loaded.replace(reports, clientIDs: settings.clientIDs)
        return vault.platforms.replace(entries)
    }

    private func report(_ document: ReloadDocument) {
        if document.plugins.isEmpty, document.platforms.isEmpty, document.needRestart.isEmpty {
            logger.notice("plugins and settings are as they were")
        }
        if !document.plugins.isEmpty || !document.platforms.isEmpty {
            logger.notice(
                "plugins and platforms were reloaded",
                metadata: ["plugins": "\(document.plugins.words)", "platforms": "\(document.platforms.words)"])
        }
        if !document.needRestart.isEmpty {
            logger.notice(
                "settings changed: they take effect at the next start",
                metadata: ["settings": "\(document.needRestart.joined(separator: " "))"])
        }
    }

    /// The paths whose values differ, in order; what this server chose for itself is not a change.
    static func changes(from old: Settings, to new: Settings) -> [String] {
        var paths: Set<String> = []
        for path in Set(old.entries.keys).union(new.entries.keys) {
            let (before, after) = (old.entries[path], new.entries[path])
            if case .option? = before?.origin { continue }
            if before?.raw != after?.raw { paths.insert(path) }
        }
        let sections = { (settings: Settings) in
            Dictionary(uniqueKeysWithValues: settings.platforms.map { ($0.name, $0) })
        }
        let (before, after) = (sections(old), sections(new))
        for name in Set(before.keys).union(after.keys) {
            let values = { (section: PlatformSection?) in section.map { $0.entries.mapValues(\.raw) } }
            let parameters = { (section: PlatformSection?) in section.map { $0.parameters.mapValues(\.value) } }
            if values(before[name]) != values(after[name]) || parameters(before[name]) != parameters(after[name]) {
                paths.insert("platforms.\(name)")
            }
        }
        let hooks = { (settings: Settings) in
            Dictionary(uniqueKeysWithValues: settings.webhooks.map { ($0.name, $0.entries.mapValues(\.raw)) })
        }
        let (oldHooks, newHooks) = (hooks(old), hooks(new))
        for name in Set(oldHooks.keys).union(newHooks.keys) where oldHooks[name] != newHooks[name] {
            paths.insert("webhooks.\(name)")
        }
        return paths.sorted()
    }
}

extension ReloadDocument.Names {
    /// `+added ~changed -removed`.
    var words: String {
        (added.map { "+\($0)" } + changed.map { "~\($0)" } + removed.map { "-\($0)" }).joined(separator: " ")
    }
}

extension ReloadDocument {
    init(
        _ changes: PlatformDirectory.Changes, _ reports: [PluginReport], before: [PluginReport], needRestart: [String]
    ) {
        self.init()
        platforms.added = changes.added.map(\.rawValue)
        platforms.changed = changes.changed.map(\.rawValue)
        platforms.removed = changes.removed.map(\.rawValue)
        let old = Dictionary(before.map { ($0.path, $0) }, uniquingKeysWith: { first, _ in first })
        let paths = Set(reports.map(\.path))
        for report in reports {
            if let earlier = old[report.path] {
                if !report.isSame(as: earlier) { plugins.changed.append(report.fileName) }
            } else {
                plugins.added.append(report.fileName)
            }
        }
        plugins.removed = before.filter { !paths.contains($0.path) }.map(\.fileName)
        self.needRestart = needRestart
    }
}
