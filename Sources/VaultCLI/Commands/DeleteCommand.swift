import ArgumentParser
import Vault
import VaultBase

/// `vault delete`
struct DeleteCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Delete a user's connections here, without telling the provider.",
        discussion: """
            vault delete 7f3c19            all of the user, sessions too
            vault delete 7f3c19 spotify    one connection

            To end the grant at the provider as well, use vault disconnect.
            """)

    @Argument(help: "The user.") var user: String
    @Argument(help: "Only this platform.") var platform: String?

    @OptionGroup var common: CommonOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let json = output.json
        try await Workplace.with(common) { place in
            try await place.perform(.delete(user: user, platform: platform)) { event in
                guard case .deleted(let deleted) = event else { return }
                if json { return try Terminal.answer(JSON.line(deleted)) }
                let sessions = deleted.sessions > 0 ? " and \(Words.count(deleted.sessions, "session"))" : ""
                try Terminal.answer("\(Words.count(deleted.connections, "connection"))\(sessions) deleted")
            }
        }
    }
}
