import ArgumentParser
import Logging
import Synchronization
import Vault
import VaultBase
import VaultStore

/// What every command that looks at settings takes.
struct CommonOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The settings' file.", valueName: "file"))
    var config: String?

    @Option(
        name: .customLong("set"), parsing: .singleValue,
        help: ArgumentHelp(
            "A setting, such as store.path=/srv/vault (also: --store-path /srv/vault).", valueName: "key=value"))
    var assignments: [String] = []

    /// All settings, with this command's on top.
    func settings(environment: [String: String] = ProcessRules.environment) throws(VaultError) -> Settings {
        var options: [(path: String, value: String, option: String)] = []
        for assignment in assignments {
            guard let equals = assignment.firstIndex(of: "="), equals != assignment.startIndex else {
                throw VaultError(
                    .badRequest, "--set needs key=value", hint: "for instance: --set store.path=/srv/vault")
            }
            let path = String(assignment[..<equals])
            let name = SettingTable.all.first { $0.path == path }?.optionName ?? "--set"
            options.append((path, String(assignment[assignment.index(after: equals)...]), name))
        }
        return try SettingsLocation.read(config: config, options: options, environment: environment)
    }
}

/// `--json`, for commands with an answer.
struct OutputOptions: ParsableArguments {
    @Flag(help: "Answer in JSON, one object a line.")
    var json = false
}

/// The vault a command works on: a running server's, or one opened for the command alone.
struct Workplace {
    let settings: Settings
    let administration: any Administration
    let isServer: Bool
    private let told = Told()

    private init(settings: Settings, administration: any Administration, isServer: Bool) {
        self.settings = settings
        self.administration = administration
        self.isServer = isServer
    }

    /// Finds the vault, lends it to `body` and lets go of it again.
    ///
    /// - Parameter plugins: whether the command needs platforms that work; a server has them anyway.
    static func with<R: Sendable>(
        _ options: CommonOptions, plugins: Bool = false, _ body: (Workplace) async throws -> R
    ) async throws -> R {
        let environment = ProcessRules.environment
        let settings = try options.settings(environment: environment)
        LogSetup.start(format: settings[\.logFormat], level: .warning)
        let store = settings[\.storePath]
        if await SocketAdministration.answers(store: store) { return try await body(through(settings)) }
        let opened: OpenVault
        do {
            opened = try await OpenVault.open(
                OpenVault.Request(
                    settings: settings, environment: environment, logger: Logger(label: "vault"), loadsPlugins: plugins)
            )
        } catch let error as VaultError where error.code == .locked {
            // A server that had its store open before its socket.
            if await SocketAdministration.answers(store: store) { return try await body(through(settings)) }
            throw error
        }
        let administration = LocalAdministration(
            vault: opened.vault, plugins: opened.plugins, clientIDs: settings.clientIDs)
        do {
            let result = try await body(
                Workplace(settings: settings, administration: administration, isServer: false))
            await opened.store.close()
            return result
        } catch {
            await opened.store.close()
            throw error
        }
    }

    private static func through(_ settings: Settings) -> Workplace {
        Workplace(
            settings: settings, administration: SocketAdministration(store: settings[\.storePath]), isServer: true)
    }

    /// Performs the command; notices go to standard error here, everything else to `event`.
    func perform(
        _ command: AdministrativeCommand, _ event: @escaping @Sendable (AdministrativeEvent) async throws -> Void
    ) async throws {
        try await administration.perform(command) { [told] said in
            if case .notice(let words) = said {
                if told.isNew(words) { Terminal.warn(words) }
                return
            }
            try await event(said)
        }
    }

    /// What was said already: a long import says it once.
    private final class Told: Sendable {
        private let words = Mutex<Set<String>>([])
        func isNew(_ sentence: String) -> Bool { words.withLock { $0.insert(sentence).inserted } }
    }
}
