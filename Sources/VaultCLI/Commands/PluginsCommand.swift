import ArgumentParser
import Synchronization
import Vault
import VaultBase
import VaultProviders

/// `vault plugins`
struct PluginsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plugins", abstract: "List the plugins: what each provides, how it is held, what is wrong.",
        discussion: """
            vault plugins
            vault plugins --json
            vault plugins --plugins-path ./build/plugins

            Next to a running server it tells what that server has loaded. Without a vault it looks at
            the folder alone.
            """,
        subcommands: [ReloadPluginsCommand.self])

    @OptionGroup var common: CommonOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let settings = try common.settings()
        var plugins: [PluginDocument] = []
        if await SocketAdministration.answers(store: settings[\.storePath]) {
            let collected = Collected()
            try await SocketAdministration(store: settings[\.storePath]).perform(.plugins) { event in
                if case .plugin(let plugin) = event { collected.add(plugin) }
            }
            plugins = collected.all
        } else {
            plugins = await Plugins.load(settings).map { report in
                let id = report.provider?.description.id
                let users = (settings.platforms + settings.unclaimed).filter { $0.provider == id }.map(\.name)
                return PluginDocument(report, platforms: users)
            }
        }
        if output.json {
            for plugin in plugins { try Terminal.answer(JSON.line(plugin)) }
            return
        }
        try Self.answer(plugins, settings)
    }

    static func answer(_ plugins: [PluginDocument], _ settings: Settings) throws {
        guard !plugins.isEmpty else {
            return Terminal.say("there are no plugins in \(settings[\.plugins])")
        }
        var table = Columns(["FILE", "PROVIDER", "ISOLATION", "PLATFORMS", "PROTECTIONS"])
        for plugin in plugins {
            table.add([
                Paths.name(of: plugin.file), plugin.provider ?? "not usable",
                plugin.isolation, plugin.platforms.joined(separator: " "),
                plugin.protections.isEmpty ? "none" : plugin.protections.joined(separator: " "),
            ])
        }
        for line in table.lines { try Terminal.answer(line) }
        if plugins.contains(where: { $0.isolation == Isolation.inProcess.rawValue }) {
            Terminal.say(
                "in-process plugins are trusted like vault itself: a call that hangs is given up after a second, but its "
                    + "thread cannot be ended; isolation = \"process\" can")
        }
        let openings = PluginOpenings.grouped(plugins.map { (Paths.name(of: $0.file), $0.openings) })
        for (opening, files) in openings {
            try Terminal.answer("")
            try Terminal.answer("\(files.joined(separator: " ")): \(opening)")
        }
        if !openings.isEmpty { try Terminal.answer("  \(PluginOpenings.hint)") }
        for plugin in plugins {
            guard let fault = plugin.fault else { continue }
            try Terminal.answer("")
            try Terminal.answer(Terminal.plain("\(plugin.file): \(fault)"))
            if let hint = plugin.hint { try Terminal.answer(Terminal.plain("  \(hint)")) }
        }
    }

    final class Collected: Sendable {
        private let plugins = Mutex<[PluginDocument]>([])
        var all: [PluginDocument] { plugins.withLock { $0 } }
        func add(_ plugin: PluginDocument) { plugins.withLock { $0.append(plugin) } }
    }
}
