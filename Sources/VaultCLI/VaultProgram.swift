import ArgumentParser
import Glibc
import Vault
import VaultBase
import VaultProviders
import VaultStore

/// The program: one command after another in `Commands/`, each a file.
struct VaultProgram: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "vault",
        abstract: "Keeps the OAuth tokens of your users, encrypted, and fresh.",
        discussion: """
            vault serve --sandbox          try it: a server with a provider of its own
            vault init                     make a key and an empty vault

            Settings come from vault.conf, the environment and the command line: store.path is
            VAULT_STORE_PATH and --store-path. Next to a running server commands go through it.
            """,
        version: "vault \(Vault.version)",
        subcommands: [
            InitCommand.self, ServeCommand.self, SandboxCommand.self, StatusCommand.self, ConnectionsCommand.self,
            ShowCommand.self, PutCommand.self, ImportCommand.self, ExportCommand.self, RefreshCommand.self,
            DisconnectCommand.self, DeleteCommand.self, SweepCommand.self, CheckCommand.self, BackupCommand.self,
            RestoreCommand.self, DrillCommand.self, KeyCommand.self, PassphraseCommand.self, RotateCommand.self,
            CompactCommand.self, PluginsCommand.self, PluginCommand.self, SessionCommand.self, ServiceCommand.self,
            EventsCommand.self, PluginHostCommand.self,
            CheckWalkCommand.self,
        ])
}

/// Starts the program and turns how it ended into words and an exit status.
@main enum Entry {
    static func main() async {
        ProcessRules.apply()
        LMDBStore.prepareProcess()
        // The child that holds a plugin does nothing else, not even read arguments.
        if CommandLine.arguments.count == 3, CommandLine.arguments[1] == "plugin-host" {
            PluginHost.run(CommandLine.arguments[2])
        }
        let arguments = OptionNames.rewrite(Array(CommandLine.arguments.dropFirst()))
        do {
            var command = try VaultProgram.parseAsRoot(arguments)
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch {
            exit(report(error, arguments).rawValue)
        }
    }

    static func report(_ error: any Error, _ arguments: [String]) -> ExitStatus {
        if let error = error as? VaultError {
            Terminal.fail(error)
            return ExitStatus(error.code)
        }
        if error is CancellationError {
            Terminal.fail(VaultError(.unavailable, "stopped before it was done"))
            return .failed
        }
        if VaultProgram.exitCode(for: error).isSuccess {
            // Help was asked for: it is the answer.
            let help = VaultProgram.fullMessage(for: error, columns: 100)
            let isHelp = help.contains("USAGE:")
            try? Terminal.answer(isHelp ? "\(help.trimmed)\n\n\(ExitStatus.help)" : help)
            return .done
        }
        guard VaultProgram.exitCode(for: error) == .validationFailure else {
            Terminal.fail(VaultError(.internal, "it failed in a way nobody foresaw: \(type(of: error))"))
            return .failed
        }
        let words = VaultProgram.message(for: error).trimmed
        let sentence = words.prefix(1).lowercased() + words.dropFirst()
        let command = OptionNames.command(in: arguments)
        let help = "see: \(command.name) --help"
        Terminal.fail(
            VaultError(
                .badRequest, sentence.hasSuffix(".") ? String(sentence.dropLast()) : sentence,
                hint: command.meant.map { "did you mean \($0)? \(help)" } ?? help))
        return .usage
    }
}
