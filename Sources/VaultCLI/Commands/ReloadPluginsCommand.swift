import ArgumentParser
import Vault
import VaultBase

/// `vault plugins reload`
struct ReloadPluginsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reload", abstract: "Have the running server take in plugins and platforms as they are now.",
        discussion: """
            vault plugins reload
            vault plugins reload --json

            Takes in files that were added, changed and removed, and the [platforms.*] sections of vault.conf. No
            request is dropped. Other settings need a restart: which of them changed is said. SIGHUP does the same.
            """)

    @OptionGroup var common: CommonOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let settings = try common.settings()
        guard await SocketAdministration.answers(store: settings[\.storePath]) else {
            throw VaultError(
                .unavailable, "no server is running on \(settings[\.storePath])",
                hint: "start one with vault serve: it loads everything anew")
        }
        let json = output.json
        let collected = PluginsCommand.Collected()
        try await SocketAdministration(store: settings[\.storePath]).perform(.reloadPlugins) { event in
            switch event {
            case .plugin(let plugin): collected.add(plugin)
            case .reloaded(let document): try Self.answer(document, json)
            default: break
            }
        }
        if json {
            for plugin in collected.all { try Terminal.answer(JSON.line(plugin)) }
        } else {
            try PluginsCommand.answer(collected.all, settings)
        }
    }

    private static func answer(_ document: ReloadDocument, _ json: Bool) throws {
        if json { return try Terminal.answer(JSON.line(document)) }
        let plugins = document.plugins.words
        let platforms = document.platforms.words
        try Terminal.answer("plugins    \(plugins.isEmpty ? "as they were" : plugins)")
        try Terminal.answer("platforms  \(platforms.isEmpty ? "as they were" : platforms)")
        if !document.needRestart.isEmpty {
            Terminal.warn(
                "these settings take effect at the next start: \(document.needRestart.joined(separator: " "))")
        }
        try Terminal.answer("")
    }
}
