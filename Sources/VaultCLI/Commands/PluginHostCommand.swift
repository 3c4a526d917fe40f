import ArgumentParser
import VaultProviders

/// `vault plugin-host`: the child that holds one plugin. The program starts it itself; see ``Entry``.
struct PluginHostCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "plugin-host", shouldDisplay: false)

    @Argument var file: String

    func run() async throws { PluginHost.run(file) }
}
