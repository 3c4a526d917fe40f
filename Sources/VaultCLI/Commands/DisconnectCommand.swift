import ArgumentParser
import Vault
import VaultBase

/// `vault disconnect`
struct DisconnectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "disconnect", abstract: "End a grant: revoke it at the provider, delete it here.",
        discussion: """
            vault disconnect 7f3c19 spotify
            vault disconnect 7f3c19 spotify --json

            It is deleted here whatever the provider says; the answer tells which of the two happened.
            """)

    @Argument(help: "The user.") var user: String
    @Argument(help: "The platform.") var platform: String

    @OptionGroup var common: CommonOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let json = output.json
        try await Workplace.with(common, plugins: true) { place in
            try await place.perform(.disconnect(user: user, platform: platform)) { event in
                guard case .disconnected(let end) = event else { return }
                if json { return try Terminal.answer(JSON.line(end)) }
                let there =
                    switch end.revoked {
                    case "yes": "revoked at the provider"
                    case "unsupported": "the provider has no way to revoke it"
                    case "pending": "the provider will be told again"
                    default: "the provider did not confirm that it is revoked"
                    }
                try Terminal.answer("deleted here; \(there)")
            }
        }
    }
}
