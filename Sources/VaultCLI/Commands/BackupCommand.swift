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
            vault backup verify /backups/monday.vault
            vault backup inspect /backups/monday.vault

            A backup is one encrypted file. With one of the vault's keys it is the whole vault; keep the two apart.
            """,
        subcommands: [Create.self, Verify.self, Inspect.self], defaultSubcommand: Create.self)

    /// `vault backup FILE`
    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "create", abstract: "Write a backup of the whole vault, and verify it.",
            discussion: """
                vault backup /backups/monday.vault
                vault backup create ./verify
                vault backup monday.vault --json

                The server goes on meanwhile. The file gets its name only after it was read back and
                verified to its last byte; one that is there is not overwritten.
                """)

        @Argument(help: "The new file.") var file: String
        @OptionGroup var common: CommonOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let path = FilePath.absolute(file)
            let json = output.json
            let bar = ProgressBar("backup")
            defer { bar.end() }
            try await Workplace.with(common) { place in
                try await place.perform(.backup(path: path)) { event in
                    switch event {
                    case .progress(let done, let total): bar.show(done, of: total)
                    case .backup(let backup):
                        bar.end()
                        try BackupCommand.answer(backup, json: json, said: "written and verified")
                    default: break
                    }
                }
            }
        }
    }

    /// `vault backup verify`
    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "verify", abstract: "Read a backup to its last byte and open every record in it.",
            discussion: """
                vault backup verify /backups/monday.vault
                vault backup verify monday.vault --key-source file:/root/vault.key
                vault backup verify monday.vault --json
                """)

        @Argument(help: "The backup.") var file: String
        @OptionGroup var common: CommonOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let backup = try BackupCommand.verify(file, common)
            try BackupCommand.answer(backup, json: output.json, said: "whole")
        }
    }

    /// `vault backup inspect`
    struct Inspect: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "inspect", abstract: "Say what is in a backup: which vault, when, how much.",
            discussion: """
                vault backup inspect /backups/monday.vault
                vault backup inspect monday.vault --json

                It needs no key and proves nothing: a file that was changed may say anything. To be sure,
                use vault backup verify.
                """)

        @Argument(help: "The backup.") var file: String
        @OptionGroup var common: CommonOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let path = FilePath.absolute(file)
            guard FilePath.exists(path) else {
                throw VaultError(.notFound, "there is no \(path)", hint: "look at the name")
            }
            let answer = Answer(try Backup.inspect(path), path)
            if output.json { return try Terminal.answer(JSON.line(answer)) }
            let lines = Words.fields([
                ("file", answer.file), ("vault", answer.vault), ("made", answer.createdAt),
                ("entries", "\(answer.entries)"), ("sequence", "\(answer.sequence)"),
                ("size", Sizes.words(answer.bytes)),
                ("keys", Words.count(answer.slots, "key") + " can open it"),
            ])
            for line in lines { try Terminal.answer(line) }
        }

        private struct Answer: Encodable {
            var file: String
            var vault: String
            var createdAt: String
            var sequence: UInt64
            var entries: Int
            var bytes: Int
            var slots: Int

            init(_ inspection: Backup.Inspection, _ file: String) {
                self.file = file
                vault = Hex.encode(inspection.vaultID)
                createdAt = inspection.createdAt.iso8601
                sequence = inspection.sequence
                entries = inspection.entries
                bytes = inspection.bytes
                slots = inspection.slots
            }
        }
    }

    private static func verify(_ file: String, _ common: CommonOptions) throws -> BackupDocument {
        let environment = ProcessRules.environment
        let settings = try common.settings(environment: environment)
        let path = FilePath.absolute(file)
        guard FilePath.exists(path) else {
            throw VaultError(.notFound, "there is no \(path)", hint: "look at the name")
        }
        let unlock = try RootKeySource(settings, environment: environment).fetch(environment: environment)
        let key = try Backup.key(opening: path, with: unlock)
        let bar = ProgressBar("verify")
        defer { bar.end() }
        let manifest = try Backup.verify(path, rootKey: key) { done, total in bar.show(done, of: total) }
        return BackupDocument(manifest, file: path)
    }

    static func answer(_ backup: BackupDocument, json: Bool, said: String) throws {
        if json { return try Terminal.answer(JSON.line(backup)) }
        try Terminal.answer(
            "\(backup.file)  \(said)  \(Words.count(backup.connections, "connection"))  \(Sizes.words(backup.bytes))")
        try Terminal.answer("blake2b \(backup.hash)")
    }
}
