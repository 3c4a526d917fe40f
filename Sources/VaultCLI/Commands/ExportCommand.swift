import ArgumentParser
import Vault
import VaultBase

/// `vault export`
struct ExportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Write all connections, tokens included, as lines of JSON.",
        discussion: """
            vault export > tokens.jsonl
            vault export | other-vault import -

            The lines are not encrypted: for a copy to keep, use vault backup. They are not written to
            a terminal unless --force says so.
            """)

    @Flag(help: "Write tokens to a terminal too.") var force = false
    @OptionGroup var common: CommonOptions

    func run() async throws {
        guard force || !Terminal.outputIsTerminal else {
            throw VaultError(
                .badRequest, "refusing to write tokens to the terminal",
                hint: "write them to a file: vault export > tokens.jsonl, or use --force")
        }
        let bar = ProgressBar("exporting")
        let counter = Counter()
        try await Workplace.with(common) { place in
            try await place.perform(.export) { event in
                guard case .connection(var connection) = event else { return }
                // What only this vault can say is not for another.
                connection.version = nil
                connection.refreshable = nil
                try Terminal.answer(JSON.line(connection))
                bar.show(counter.next(), of: 0)
            }
        }
        bar.end()
    }
}
