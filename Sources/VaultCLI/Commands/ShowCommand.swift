import ArgumentParser
import Vault
import VaultBase

/// `vault show`
struct ShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show one connection.",
        discussion: """
            vault show 7f3c19 spotify
            vault show 7f3c19 spotify --reveal --json

            Tokens are shown with --reveal only. An access token is shown as it is stored; a fresh one
            comes from vault refresh, or from the frontend's /auth/spotify/token.
            """)

    @Argument(help: "The user.") var user: String
    @Argument(help: "The platform.") var platform: String
    @Flag(help: "Show the tokens too.") var reveal = false

    @OptionGroup var common: CommonOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let json = output.json
        try await Workplace.with(common) { place in
            try await place.perform(.show(user: user, platform: platform, reveal: reveal)) { event in
                guard case .connection(let connection) = event else { return }
                try Self.answer(connection, json: json)
            }
        }
    }

    static func answer(_ connection: ConnectionDocument, json: Bool) throws {
        if json { return try Terminal.answer(JSON.line(connection)) }
        for line in Words.fields(Words.fields(connection)) { try Terminal.answer(line) }
    }
}
