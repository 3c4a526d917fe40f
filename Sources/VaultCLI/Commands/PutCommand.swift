import ArgumentParser
import Vault
import VaultBase

/// `vault put`
struct PutCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "put", abstract: "Set one connection from JSON on standard input.",
        discussion: """
            echo '{"accessToken": "…", "refreshToken": "…"}' | vault put 7f3c19 spotify
            vault put 7f3c19 spotify < token.json

            Fields: accessToken (needed), refreshToken, tokenType, scope, expiresAt, consentedAt, endsAt,
            subject, displayName, clientId. Moments are 2026-11-23T13:08:15Z or seconds since 1970.
            """)

    /// The longest object, in bytes.
    static let limit = 64 << 10

    @Argument(help: "The user.") var user: String
    @Argument(help: "The platform.") var platform: String

    @OptionGroup var common: CommonOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let bytes = try Terminal.input(limit: Self.limit)
        var document = try ConnectionLines.read(bytes, place: "standard input")
        for (name, given, asked) in [("user", document.user, user), ("platform", document.platform, platform)]
        where !given.isEmpty && given != asked {
            throw VaultError(
                .badRequest, "standard input: \(name) is another than on the command line", hint: "leave it out")
        }
        document.user = user
        document.platform = platform
        _ = try document.connection(now: SystemClock().now(), clientID: "")
        let json = output.json
        let whole = document
        try await Workplace.with(common, plugins: true) { place in
            try await place.perform(.put(whole)) { event in
                guard case .written(let count) = event else { return }
                if json { try Terminal.answer(JSON.line(["written": count])) }
            }
        }
    }
}
