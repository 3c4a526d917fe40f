import VaultBase
import VaultCrypto

/// The keys that sign and verify the frontend's sessions.
enum SessionKeys {
    /// The shortest secret, in bytes (RFC 7518 §3.2).
    static let shortest = 32

    /// The first signs, all verify. Without a secret in the settings one is made beside the key, once.
    static func fetch(
        _ settings: Settings, key: RootKeySource, environment: [String: String]
    ) throws(VaultError) -> [(kid: String, key: Secret)] {
        var keys: [(kid: String, key: Secret)] = []
        if let reference = settings[\.sessionSecret] {
            keys.append(try named(reference.fetch("session.secret", environment: environment), "session.secret"))
        } else {
            keys.append(try named(made(beside: file(settings, key)), "the session secret"))
        }
        for text in settings[\.previousSecrets] {
            let secret = try SecretReference(text).fetch("session.previous-secrets", environment: environment)
            keys.append(try named(secret, "session.previous-secrets"))
        }
        return keys
    }

    /// `…/vault.session` beside `…/vault.key`, else beside the store.
    static func file(_ settings: Settings, _ key: RootKeySource) -> String {
        guard let file = key.file else { return settings[\.storePath] + ".session" }
        return (file.hasSuffix(".key") ? String(file.dropLast(4)) : file) + ".session"
    }

    private static func made(beside path: String) throws(VaultError) -> Secret {
        do {
            try PrivateFile.create(path, Array(Hex.encode(Random.bytes(32)).utf8) + [0x0A])
        } catch  where error.code == .conflict {
            // It was made by an earlier start.
        }
        var bytes = try PrivateFile.read(path, limit: 4096, mode: .key)[...]
        while bytes.last == 0x0A { bytes.removeLast() }
        return Secret(bytes: bytes)
    }

    /// The `kid` tells which secret without telling anything of it.
    private static func named(_ secret: Secret, _ name: String) throws(VaultError) -> (kid: String, key: Secret) {
        guard secret.count >= shortest else {
            throw VaultError(
                .settings, "\(name) is \(secret.count) bytes, and \(shortest) are needed at least",
                hint: "make one with: openssl rand -hex 32")
        }
        let digest = Digest.hmacSHA256(Array("vault kid".utf8), key: secret)
        return (Hex.encode(digest.prefix(4)), secret)
    }
}
