import ArgumentParser
import Vault
import VaultBase
import VaultRecords

/// `vault backup inspect`
struct BackupInspectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect", abstract: "Say what is in a backup: which vault, when, how much, for whom.",
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
        let path = try BackupFiles.paths([file])[0]
        let answer = Answer(try Backup.inspect(path), path)
        if output.json { return try Terminal.answer(JSON.line(answer)) }
        let lines = Words.fields([
            ("file", answer.file), ("vault", answer.vault), ("made", answer.createdAt),
            ("kind", answer.begins == nil ? "full" : "increment"), ("begins", answer.begins), ("ends", answer.ends),
            ("entries", "\(answer.entries)"), ("for", answer.recipients.joined(separator: ", ")),
        ])
        for line in lines { try Terminal.answer(line) }
    }

    private struct Answer: Encodable {
        var file: String
        var vault: String
        var createdAt: String
        /// Where the backup before it ends, as `SEQUENCE:HASH`; nil for a full one.
        var begins: String?
        var ends: String
        var sequence: UInt64
        var entries: Int
        var recipients: [String]

        init(_ inspection: Backup.Inspection, _ file: String) {
            self.file = file
            vault = Hex.encode(inspection.vaultID)
            createdAt = inspection.createdAt.iso8601
            begins = inspection.since?.words
            ends = inspection.end.words
            sequence = inspection.end.sequence
            entries = inspection.entries
            recipients = inspection.recipients
        }
    }
}
