import ArgumentParser
import Vault
import VaultBase

/// `vault refresh`
struct RefreshCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "refresh", abstract: "Redeem a connection's refresh token now.",
        discussion: """
            vault refresh 7f3c19 spotify
            vault refresh 7f3c19 spotify --json

            Prints the connection as it is afterwards, without tokens. Where the tokens are this application's own
            and nobody logs in (bandcamp), it makes the connection; a token that came from a browser is asked about.
            """)

    @Argument(help: "The user.") var user: String
    @Argument(help: "The platform.") var platform: String

    @OptionGroup var common: CommonOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let json = output.json
        try await Workplace.with(common, plugins: true) { place in
            try await place.perform(.refresh(user: user, platform: platform)) { event in
                guard case .connection(let connection) = event else { return }
                try ShowCommand.answer(connection, json: json)
            }
        }
    }
}
