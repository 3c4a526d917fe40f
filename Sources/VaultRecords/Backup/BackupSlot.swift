import VaultBase
public import VaultCrypto

// One way to open a backup: kind u8 · 0 u8 · length u16 · content. Other kinds are passed over.
//
//   1 the vault's keys   nonce 24 · box 48 · the keyring as it was wrapped
//   2 a passphrase       passes u32 · KiB u32 · salt 16 · nonce 24 · box 48
//   3 a public key       public key 32 · sealed box 80
//
//   wrapping key of 1 = BLAKE2b-256(the keyring's backup key, "vault-backup-v1", backup id)
//   wrapping key of 2 = BLAKE2b-256(Argon2id of the passphrase, "vault-bkpass-v1", backup id ‖ parameters)

/// Who can open a backup.
public enum BackupRecipient: Sendable {
    /// Whatever opens the vault when the backup is made.
    case vault
    /// A passphrase: the key that Argon2id made of it, and with which parameters.
    case passphrase(NewKey)
    /// Whoever has the secret key.
    case publicKey(BackupPublicKey)
}

/// What somebody has to open a backup.
public enum BackupUnlock: Sendable {
    /// A key of the vault, or a passphrase of the vault's or the backup's own.
    case vault(UnlockKey)
    case secretKey(BackupSecretKey)

    public static func key(_ key: GuardedKey) -> BackupUnlock { .vault(.key(key)) }
}

struct BackupSlot {
    let kind: UInt8
    let content: [UInt8]

    private static let vault: UInt8 = 1
    private static let passphrase: UInt8 = 2
    private static let publicKey: UInt8 = 3
    private static let parametersSize = 24
    private static let boxSize = GuardedKey.size + SecretBox.overhead

    init?(_ reader: inout ByteReader) {
        guard let kind = reader.u8(), reader.u8() == 0, let length = reader.u16(),
            let content = reader.array(Int(length))
        else { return nil }
        self.kind = kind
        self.content = content
    }

    private init(kind: UInt8, content: [UInt8]) {
        self.kind = kind
        self.content = content
    }

    var encoded: [UInt8] {
        var out = [kind, 0]
        out.append(u16: UInt16(content.count))
        return out + content
    }

    /// Whom it is for.
    var words: String {
        switch kind {
        case Self.vault: "vault"
        case Self.passphrase: "passphrase"
        case Self.publicKey where content.count >= 32: BackupPublicKey(bytes: Array(content[..<32])).text
        default: "unknown"
        }
    }

    /// - Parameter keyring: as the store has it.
    init(
        _ recipient: BackupRecipient, fileKey: GuardedKey, backupID: [UInt8], _ keys: VaultKeys, keyring: [UInt8]
    ) throws(VaultError) {
        switch recipient {
        case .vault:
            let wrapping = try keys.keyring.backupKey.derive(Purpose("vault-backup-v1"), backupID)
            self.init(kind: Self.vault, content: Self.box(fileKey, wrapping) + keyring)
        case .passphrase(let new):
            let wrapping = try new.key.derive(Purpose("vault-bkpass-v1"), backupID + new.parameters)
            self.init(kind: Self.passphrase, content: new.parameters + Self.box(fileKey, wrapping))
        case .publicKey(let key):
            guard let box = fileKey.withBytes({ SealedBox.seal($0, to: key.bytes) }) else {
                throw VaultError(.badRequest, "\(key.text) is a public key that nobody can have")
            }
            self.init(kind: Self.publicKey, content: key.bytes + box)
        }
    }

    /// The file key, from the first of `slots` that `unlock` opens.
    ///
    /// - Throws: `wrong-key`, `damaged`, `unavailable` without the memory a passphrase needs.
    static func fileKey(
        _ slots: [BackupSlot], backupID: [UInt8], with unlock: BackupUnlock
    ) throws(VaultError) -> GuardedKey {
        switch unlock {
        case .secretKey(let secret):
            let mine = slots.filter {
                $0.kind == publicKey && $0.content.count == 32 + GuardedKey.size + SealedBox.overhead
                    && Array($0.content[..<32]) == secret.publicKey.bytes
            }
            guard let slot = mine.first else { throw wrongKey(slots) }
            var opened = false
            let key = try GuardedKey { output in
                opened = SealedBox.open(
                    Array(slot.content[32...]), publicKey: secret.publicKey.bytes, secretKey: secret.key, into: output)
            }
            guard opened else { throw BackupError.damagedHeader }
            return key
        case .vault(let key):
            if case .passphrase(let words) = key, let found = try fileKey(slots, backupID: backupID, words) {
                return found
            }
            let vaults = slots.filter { $0.kind == vault && $0.content.count > SecretBox.nonceSize + boxSize }
            guard let slot = vaults.first else { throw wrongKey(slots) }
            let keyring = Array(slot.content[(SecretBox.nonceSize + boxSize)...])
            let root = try key.key(opening: keyring)
            let wrapping = try Keyring.open(keyring, with: root).backupKey.derive(Purpose("vault-backup-v1"), backupID)
            guard let found = try open(slot.content[..<(SecretBox.nonceSize + boxSize)], wrapping) else {
                throw BackupError.damagedHeader
            }
            return found
        }
    }

    /// By the backup's own passphrases; nil when none of them is `words`.
    private static func fileKey(
        _ slots: [BackupSlot], backupID: [UInt8], _ words: Secret
    ) throws(VaultError) -> GuardedKey? {
        for slot in slots
        where slot.kind == passphrase && slot.content.count == parametersSize + SecretBox.nonceSize + boxSize {
            let parameters = Array(slot.content[..<parametersSize])
            let wrapping = try NewKey(passphrase: words, parameters: parameters)
                .key.derive(Purpose("vault-bkpass-v1"), backupID + parameters)
            if let key = try open(slot.content[parametersSize...], wrapping) { return key }
        }
        return nil
    }

    private static func wrongKey(_ slots: [BackupSlot]) -> VaultError {
        let whom = slots.map(\.words).joined(separator: ", ")
        return VaultError(
            .wrongKey, "the key does not open this backup, which is for: \(whom)",
            hint: "give one of these with --unlock: a file, passphrase, recovery:")
    }

    private static func box(_ key: GuardedKey, _ wrapping: GuardedKey) -> [UInt8] {
        let nonce = Random.bytes(SecretBox.nonceSize)
        var box = [UInt8](repeating: 0, count: boxSize)
        box.withUnsafeMutableBytes { box in
            nonce.withUnsafeBytes { nonce in
                key.withBytes {
                    SecretBox.seal($0, nonce: nonce.baseAddress.unsafelyUnwrapped, key: wrapping.address, into: box)
                }
            }
        }
        return nonce + box
    }

    private static func open(_ bytes: ArraySlice<UInt8>, _ wrapping: GuardedKey) throws(VaultError) -> GuardedKey? {
        var opened = false
        let key = try GuardedKey { output in
            bytes.withUnsafeBytes { bytes in
                opened = SecretBox.open(
                    UnsafeRawBufferPointer(rebasing: bytes[SecretBox.nonceSize...]),
                    nonce: bytes.baseAddress.unsafelyUnwrapped, key: wrapping.address, into: output)
            }
        }
        return opened ? key : nil
    }
}
