import ArgumentParser
import Vault
import VaultBase
import VaultRecords

/// `vault backup verify`
struct BackupVerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Read a backup to its last byte and open every record in it.",
        usage: "vault backup verify <file> ... [--unlock <source>] [<options>]",
        discussion: """
            vault backup verify /backups/monday.vault
            vault backup verify monday.vault tuesday.vault     a full one and its increments
            vault backup verify monday.vault --unlock file:/media/key/backup.key
            ssh elsewhere 'cat monday.vault' | vault backup verify -
            """)

    @Argument(help: ArgumentHelp("The backup, and increments in their order; - for standard input.", valueName: "file"))
    var files: [String]
    @OptionGroup var unlocking: UnlockOption
    @OptionGroup var common: CommonOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let environment = ProcessRules.environment
        let settings = try common.settings(environment: environment)
        let unlock = try BackupUnlocking.fetch(unlocking.unlock, settings, environment)
        let isStream = files == ["-"]
        let paths = try isStream ? files : BackupFiles.paths(files)
        let backup = try isStream ? OpenBackup(standardInputWith: unlock) : OpenBackup(paths, with: unlock)
        let bar = ProgressBar("verify")
        defer { bar.end() }
        let manifests = try backup.verify { done, total in bar.show(done, of: total) }
        bar.end()
        for (path, manifest) in zip(paths, manifests) {
            try BackupCommand.answer(BackupDocument(manifest, file: path), json: output.json, said: "whole")
        }
        guard let first = manifests.first?.since else { return }
        Terminal.say("an increment: it needs what ends at \(first.words) before it")
    }
}

/// `--unlock`
struct UnlockOption: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "What opens the backup, instead of key.source: file:PATH, passphrase, recovery:, command:…",
            valueName: "source"))
    var unlock: String?
}

/// Backups named on the command line.
enum BackupFiles {
    /// - Throws: `not-found` for the first that is not there.
    static func paths(_ files: [String]) throws(VaultError) -> [String] {
        let paths = files.map(FilePath.absolute)
        if let missing = paths.first(where: { !FilePath.exists($0) }) {
            throw VaultError(.notFound, "there is no \(missing)", hint: "look at the name")
        }
        return paths
    }
}
