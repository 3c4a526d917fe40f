import ArgumentParser
import Vault
import VaultBase

/// `vault sweep`
struct SweepCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sweep", abstract: "Remove what ended: connections, sessions and logins.",
        discussion: """
            vault sweep --dry-run          what would be removed
            vault sweep
            vault sweep --json

            A server does this by itself. What ended is never returned, swept or not; a connection is removed
            once it is over for longer than records.sweep-grace, sessions and logins at once. A record that
            does not open stays.
            """)

    @Flag(help: "Remove nothing, say what would be.") var dryRun = false
    @OptionGroup var common: CommonOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let json = output.json
        try await Workplace.with(common) { place in
            try await place.perform(.sweep(dryRun: dryRun)) { event in
                guard case .swept(let swept) = event else { return }
                if json { return try Terminal.answer(JSON.line(swept)) }
                if swept.dryRun {
                    for name in swept.connections {
                        try Terminal.answer(Terminal.plain("\(name.user)  \(name.platform)"))
                    }
                }
                let line = [
                    Words.count(swept.connections.count, "connection"), Words.count(swept.sessions, "session"),
                    Words.count(swept.logins, "login"),
                ].joined(separator: ", ")
                try Terminal.answer("\(line) \(swept.dryRun ? "would be removed" : "removed")")
            }
        }
    }
}
