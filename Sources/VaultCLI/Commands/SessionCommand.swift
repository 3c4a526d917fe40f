import ArgumentParser
import Vault
import VaultBase

/// `vault session`
struct SessionCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "session", abstract: "Work on the frontend's sessions.", subcommands: [Issue.self])

    /// `vault session issue`
    struct Issue: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "issue", abstract: "Make a session for a user and print its JWT.",
            discussion: """
                vault session issue 7f3c19
                vault session issue 7f3c19 --json
                curl -H "Authorization: Bearer $(vault session issue 7f3c19)" http://127.0.0.1:8000/auth/session
                """)

        @Argument(help: "The user, who need not have a connection yet.") var user: String

        @OptionGroup var common: CommonOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let json = output.json
            try await Workplace.with(common) { place in
                try await place.perform(.issueSession(user: user)) { event in
                    guard case .session(let session) = event else { return }
                    try Terminal.answer(json ? JSON.line(session) : session.session)
                }
            }
        }
    }
}
