import ArgumentParser
import Synchronization
import Vault
import VaultBase

/// `vault session`
struct SessionCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "session", abstract: "Work on the frontend's sessions.",
        subcommands: [Issue.self, List.self, Revoke.self])

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

    /// `vault session list`
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "List a user's sessions that hold.",
            discussion: """
                vault session list 7f3c19
                vault session list 7f3c19 --json

                Each is a browser that is logged in. The id is the JWT's jti and opens nothing.
                """)

        @Argument(help: "The user.") var user: String

        @OptionGroup var common: CommonOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let json = output.json
            let table = Mutex(Columns(["SESSION", "SINCE", "EXPIRES"]))
            try await Workplace.with(common) { place in
                try await place.perform(.sessions(user: user)) { event in
                    guard case .heldSession(let session) = event else { return }
                    if json { return try Terminal.answer(JSON.line(session)) }
                    table.withLock { $0.add([session.id, session.createdAt, session.expiresAt]) }
                }
            }
            guard !json else { return }
            let (lines, isEmpty) = table.withLock { ($0.lines, $0.isEmpty) }
            guard !isEmpty else { return Terminal.say("\(Terminal.plain(user)) has no session") }
            for line in lines { try Terminal.answer(line) }
        }
    }

    /// `vault session revoke`
    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "revoke", abstract: "Log a user out, everywhere or in one browser.",
            discussion: """
                vault session revoke 7f3c19
                vault session revoke 7f3c19 --id Zk3v9

                The connections stay; the user is back with the next login.
                """)

        @Argument(help: "The user.") var user: String
        @Option(help: "Only this session: its id, or the beginning of it, as vault session list says.") var id: String?

        @OptionGroup var common: CommonOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let json = output.json
            try await Workplace.with(common) { place in
                try await place.perform(.revokeSessions(user: user, id: id)) { event in
                    guard case .deleted(let deleted) = event else { return }
                    if json { return try Terminal.answer(JSON.line(["sessions": deleted.sessions])) }
                    try Terminal.answer("\(Words.count(deleted.sessions, "session")) ended")
                }
            }
        }
    }
}
