import Foundation
import Testing

@Suite struct GrantTypeTests {
    /// What is not written anywhere cannot be sent: neither a password nor a token by the front channel.
    @Test func noPasswordAndNothingByTheFrontChannelIsAskedFor() throws {
        let sources = Workshop.repository.appending(path: "Sources/VaultProviders")
        let files = try #require(FileManager.default.enumerator(at: sources, includingPropertiesForKeys: nil))
        var grants: Set<Substring> = []
        var answers: Set<Substring> = []
        for case let file as URL in files where file.pathExtension == "swift" {
            let text = try String(contentsOf: file, encoding: .utf8)
            for match in text.matches(of: #/add\("grant_type", "([^"]*)"/#) { grants.insert(match.output.1) }
            for match in text.matches(of: #/add\("response_type", "([^"]*)"/#) { answers.insert(match.output.1) }
        }
        #expect(grants == ["authorization_code", "refresh_token", "client_credentials"])
        #expect(answers == ["code"])
    }
}
