import Glibc
import Vault
import VaultBase
import VaultCrypto
import VaultRecords

/// Who can open backups, as it is written in `backup.recipients` and after `--recipient`.
enum BackupRecipients {
    static let kinds = "use vault, public:… as vault backup keygen printed it, or passphrase:file:PATH"

    enum Kind: Equatable {
        case vault
        case publicKey(BackupPublicKey)
        /// Asked for on the terminal without a reference.
        case passphrase(SecretReference?)
    }

    /// - Throws: `bad-request`.
    static func kind(_ text: String) throws(VaultError) -> Kind {
        if text == "vault" { return .vault }
        if text.hasPrefix(BackupPublicKey.prefix) { return .publicKey(try BackupPublicKey(text)) }
        if case .passphrase(let reference)? = RootKeySource.kind(text) { return .passphrase(reference) }
        throw VaultError(.badRequest, "names \"\(Terminal.plain(text))\", which is no recipient", hint: kinds)
    }

    /// Fetches passphrases and derives their keys, half a second each.
    static func read(
        _ texts: [String], _ environment: [String: String]
    ) throws(VaultError) -> [BackupRecipient] {
        var recipients: [BackupRecipient] = []
        for text in texts {
            switch try kind(text) {
            case .vault: recipients.append(.vault)
            case .publicKey(let key): recipients.append(.publicKey(key))
            case .passphrase(let reference):
                let words = try RootKeySource.passphrase(
                    reference, environment: environment, words: "passphrase of the backup", isNew: true)
                recipients.append(.passphrase(try NewKey(passphrase: words)))
            }
        }
        return recipients
    }

    /// What the server does by itself; nil without `backup.directory`.
    static func schedule(
        _ settings: Settings, _ environment: [String: String]
    ) throws(VaultError) -> BackupSchedule? {
        let directory = settings[\.backupDirectory]
        guard !directory.isEmpty else { return nil }
        return BackupSchedule(
            directory: FilePath.absolute(directory), every: settings[\.backupEvery],
            incrementEvery: settings[\.backupIncrements], keep: settings[\.backupKeep],
            recipients: try read(settings[\.backupRecipients], environment))
    }
}

/// What opens a backup: after `--unlock`, else `key.source`.
enum BackupUnlocking {
    static func fetch(
        _ text: String?, _ settings: Settings, _ environment: [String: String]
    ) throws(VaultError) -> BackupUnlock {
        guard let text else {
            return .vault(try RootKeySource(settings, environment: environment).fetch(environment: environment))
        }
        let source = try RootKeySource(text)
        if case .key(let reference) = source.kind, let secret = try secretKey(reference, environment) {
            return .secretKey(secret)
        }
        return .vault(try source.fetch(environment: environment))
    }

    /// The secret key, if that is what is there: its line begins with `backup-secret:`.
    private static func secretKey(
        _ reference: SecretReference, _ environment: [String: String]
    ) throws(VaultError) -> BackupSecretKey? {
        let text: Secret
        if case .file(let path) = reference {
            text = Secret(bytes: try PrivateFile.read(path, limit: 4096, mode: .key)[...])
        } else {
            text = try reference.fetch("--unlock", environment: environment)
        }
        let lines = text.reveal().split(separator: "\n")
        guard let line = lines.first(where: { $0.hasPrefix(BackupSecretKey.prefix) }) else { return nil }
        return try BackupSecretKey(Secret(String(String(line).trimmed)))
    }

    /// Makes a new file, 0400, with a secret key; returns the public one.
    static func create(_ path: String) throws(VaultError) -> BackupPublicKey {
        let secret = try BackupSecretKey.generate()
        var text = Array("# opens backups for \(secret.publicKey.text)\n\(secret.text.reveal())\n".utf8)
        defer { text.withUnsafeMutableBytes { explicit_bzero($0.baseAddress!, $0.count) } }
        try PrivateFile.create(path, text)
        return secret.publicKey
    }
}
