import VaultBase
import VaultCrypto
import VaultRecords

/// How a service key is written: `vlt_`, 16 digits that name it, 64 that prove it (256 random bits), and 8 by
/// which a scanner of logs and repositories, or a person who mistyped it, knows at once that it is one.
struct ServiceKeyText {
    static let lead = "vlt_"
    /// All of it, in characters.
    static let length = 4 + 16 + 64 + 8

    let id: String
    let secret: Secret

    /// A new one.
    init() {
        id = Hex.encode(Random.bytes(8))
        secret = Secret(Hex.encode(Random.bytes(32)))
    }

    /// nil for anything that is none, also for one that was mistyped.
    init?(_ token: Secret) {
        guard token.count == Self.length else { return nil }
        let text = token.reveal()
        guard text.hasPrefix(Self.lead), text.utf8.count == Self.length,
            text.utf8.dropFirst(4).allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) })
        else { return nil }
        let body = text.dropLast(8)
        guard Self.checksum(body) == text.suffix(8) else { return nil }
        id = Self.id(in: text)
        secret = Secret(String(body.suffix(64)))
    }

    var token: Secret {
        let body = Self.lead + id + secret.reveal()
        return Secret(body + Self.checksum(body[...]))
    }

    /// The id that a key, or what is shown of one, begins with; `text` itself where it is none.
    static func id(in text: String) -> String {
        text.hasPrefix(lead) ? String(text.dropFirst(lead.count).prefix(2 * ServiceKey.idSize)) : text
    }

    /// The first four bytes of BLAKE2b-256 of what stands before.
    private static func checksum(_ body: Substring) -> String {
        Hex.encode(Digest.blake2b(Array(body.utf8)).prefix(4))
    }
}
