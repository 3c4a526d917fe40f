import ArgumentParser
import Vault
import VaultBase
import VaultRecords

/// `vault backup`
struct BackupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup", abstract: "Write a backup, or look at one.",
        discussion: """
            vault backup /backups/monday.vault
            vault backup --incremental /backups/tuesday.vault
            vault backup verify /backups/monday.vault
            vault backup inspect /backups/monday.vault

            A backup is one encrypted file. With a key it was made for it is the whole vault; keep the two
            apart. To try one: vault drill. To use one: vault restore.
            """,
        subcommands: [Create.self, BackupVerifyCommand.self, BackupInspectCommand.self, BackupKeygenCommand.self],
        defaultSubcommand: Create.self)

    /// `vault backup FILE`
    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "create", abstract: "Write a backup, and verify it.",
            usage: "vault backup <file> [--incremental] [--since <file>] [--recipient <who>] [<options>]",
            discussion: """
                vault backup /backups/monday.vault
                vault backup --incremental /backups/tuesday.vault
                vault backup - | ssh elsewhere 'cat > monday.vault'
                vault backup monday.vault --recipient public:… --recipient vault

                The server goes on meanwhile. The file gets its name only after it was read back and
                verified to its last byte; one that is there is not overwritten. An increment holds what
                changed since the last backup, or since the one named by --since; where nothing did, no
                file is written.
                """)

        @Argument(help: "The new file; - for standard output.") var file: String
        @Flag(help: "Write only what changed since the last backup.") var incremental = false
        @Option(help: ArgumentHelp("The backup an increment follows.", valueName: "file"))
        var since: String?
        @Option(
            name: .customLong("recipient"), parsing: .singleValue,
            help: ArgumentHelp(
                "Who can open it, instead of backup.recipients: vault, public:… or passphrase.", valueName: "who"))
        var recipients: [String] = []
        @OptionGroup var common: CommonOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let environment = ProcessRules.environment
            let settings = try common.settings(environment: environment)
            let stream = file == "-" ? try BackupStream(store: settings[\.storePath]) : nil
            let names = recipients.isEmpty ? settings[\.backupRecipients] : recipients
            var order = BackupOrder(
                path: stream?.path ?? FilePath.absolute(file),
                recipients: try BackupRecipients.read(names, environment).map(RecipientDocument.init))
            order.isKept = stream == nil
            order.isIncrement = incremental || since != nil
            order.since = try since.map { .init(try Backup.inspect(FilePath.absolute($0)).end) }
            let json = output.json
            let bar = ProgressBar("backup")
            defer { bar.end() }
            let wanted = order
            try await Workplace.with(common) { place in
                try await place.perform(.backup(wanted)) { event in
                    switch event {
                    case .progress(let done, let total): bar.show(done, of: total)
                    case .backup(let backup):
                        bar.end()
                        guard let stream else {
                            return try BackupCommand.answer(backup, json: json, said: "written and verified")
                        }
                        try stream.send()
                        Terminal.say("sent  \(BackupCommand.words(backup))")
                        Terminal.say("what arrived was not read back: there, use vault backup verify FILE")
                    default: break
                    }
                }
            }
        }
    }

    static func answer(_ backup: BackupDocument, json: Bool, said: String) throws {
        if json { return try Terminal.answer(JSON.line(backup)) }
        try Terminal.answer("\(backup.file)  \(said)  \(words(backup))")
        try Terminal.answer("blake2b \(backup.hash)")
    }

    static func words(_ backup: BackupDocument) -> String {
        let changes = backup.since == nil ? "" : "\(Words.count(backup.entries, "change"))  "
        return "\(Words.count(backup.connections, "connection"))  \(changes)\(Sizes.words(backup.bytes))"
    }
}
