import Vault
import VaultBase

/// Reads connections from lines of JSON.
enum ConnectionLines {
    /// - Throws: `bad-request` naming the place and the field, never a value.
    static func read(_ bytes: [UInt8], place: String) throws(VaultError) -> ConnectionDocument {
        do {
            return try JSON.read(
                ConnectionDocument.self, bytes, place: place,
                hint: "one JSON object like {\"accessToken\": \"…\", \"expiresAt\": \"2026-11-23T13:08:15Z\"}")
        } catch {
            // A provider's own answer has these names; say which of ours it is.
            let names = error.message.split(separator: " ")
            guard error.message.hasSuffix("is no field of a connection"), let at = names.firstIndex(of: "is"), at > 0
            else { throw error }
            let given = String(names[at - 1])
            let near = NearestName.of(camel(given), among: ConnectionDocument.fields)
            throw VaultError(
                error.code, error.message,
                hint: near.map { "did you mean \($0)?" } ?? "see the fields there are with: vault put --help")
        }
    }

    private static func camel(_ name: String) -> String {
        let words = name.split(separator: "_")
        return (words.first.map(String.init) ?? "")
            + words.dropFirst().map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
    }
}
