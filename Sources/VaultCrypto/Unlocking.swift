public import VaultBase

/// What somebody has to unlock a vault or a backup.
public enum UnlockKey: Sendable {
    /// A root key or a recovery key.
    case key(GuardedKey)
    case passphrase(Secret)

    /// The key that opens the wrapped keyring in `bytes`: a passphrase's is derived with what its slot says.
    ///
    /// - Throws: `wrong-key` when a passphrase opens none of the slots; `damaged`, `newer-format`, `unavailable`
    ///   when there is not enough memory.
    package func key(opening bytes: [UInt8]) throws(VaultError) -> GuardedKey {
        guard case .passphrase(let passphrase) = self else {
            guard case .key(let key) = self else { preconditionFailure("there are two kinds") }
            return key
        }
        let (vaultID, slots) = try Keyring.slots(in: bytes)
        let passphrases = slots.filter { $0.kind == Keyring.Slot.passphrase }
        guard !passphrases.isEmpty else {
            throw VaultError(
                .wrongKey, "no passphrase opens this vault",
                hint: "open it with its key, then: vault key add --passphrase")
        }
        for slot in passphrases {
            let parameters = try PassphraseParameters(slot.parameters)
            let key = try Argon2id.derive(passphrase, salt: parameters.salt, cost: parameters.cost)
            if slot.keyID == Keyring.keyID(of: key, vaultID: vaultID) { return key }
        }
        throw VaultError(
            .wrongKey, "the passphrase does not open this vault", hint: "type it again, or use another key")
    }
}

/// A slot that a passphrase opens.
package enum PassphraseSlot {
    /// The key id that `passphrase` has with a slot's parameters.
    package static func keyID(
        _ passphrase: Secret, parameters: [UInt8], vaultID: [UInt8]
    ) throws(VaultError) -> [UInt8] {
        let parameters = try PassphraseParameters(parameters)
        return Keyring.keyID(
            of: try Argon2id.derive(passphrase, salt: parameters.salt, cost: parameters.cost), vaultID: vaultID)
    }
}

/// A key that is to unlock a vault from now on, with what its slot says of it.
public struct NewKey: Sendable {
    public let key: GuardedKey
    public let kind: UInt8
    public let parameters: [UInt8]

    /// The shortest passphrase, in bytes.
    public static let shortestPassphrase = 12

    /// 32 bytes from a file, a command or the like.
    public init(rootKey: GuardedKey) {
        key = rootKey
        kind = Keyring.Slot.rootKey
        parameters = []
    }

    public init(_ recovery: RecoveryKey) {
        key = recovery.key
        kind = Keyring.Slot.recovery
        parameters = []
    }

    /// Derives the key with a new salt.
    ///
    /// - Throws: `bad-request` for one shorter than ``shortestPassphrase``; `unavailable` without enough memory.
    public init(passphrase: Secret, cost: Argon2id.Cost = .moderate) throws(VaultError) {
        guard passphrase.count >= Self.shortestPassphrase else {
            throw VaultError(
                .badRequest, "the passphrase is shorter than \(Self.shortestPassphrase) characters",
                hint: "several words nobody put together before are good")
        }
        let parameters = PassphraseParameters(cost: cost, salt: Random.bytes(Argon2id.saltSize))
        key = try Argon2id.derive(passphrase, salt: parameters.salt, cost: cost)
        kind = Keyring.Slot.passphrase
        self.parameters = parameters.encoded
    }

    /// The key that a passphrase has with parameters that were chosen before.
    ///
    /// - Throws: `damaged` for parameters no vault writes; `unavailable` without enough memory.
    package init(passphrase: Secret, parameters: [UInt8]) throws(VaultError) {
        let read = try PassphraseParameters(parameters)
        key = try Argon2id.derive(passphrase, salt: read.salt, cost: read.cost)
        kind = Keyring.Slot.passphrase
        self.parameters = parameters
    }

    /// One that another process made.
    ///
    /// - Throws: `bad-request` for a kind that is not known or parameters that are not of it.
    public init(key: GuardedKey, kind: UInt8, parameters: [UInt8]) throws(VaultError) {
        switch kind {
        case Keyring.Slot.rootKey where parameters.isEmpty, Keyring.Slot.recovery where parameters.isEmpty: break
        case Keyring.Slot.passphrase: _ = try PassphraseParameters(parameters)
        default: throw VaultError(.badRequest, "that is no key a vault can have")
        }
        self.key = key
        self.kind = kind
        self.parameters = parameters
    }
}

/// What a passphrase's slot holds: passes u32 · KiB u32 · salt 16.
struct PassphraseParameters {
    var cost: Argon2id.Cost
    var salt: [UInt8]

    init(cost: Argon2id.Cost, salt: [UInt8]) {
        self.cost = cost
        self.salt = salt
    }

    /// - Throws: `damaged` when they are not what a vault writes, however they came there.
    init(_ bytes: [UInt8]) throws(VaultError) {
        let read = bytes.withUnsafeBytes { bytes -> PassphraseParameters? in
            var reader = ByteReader(bytes)
            guard let passes = reader.u32(), let kibibytes = reader.u32(), let salt = reader.array(Argon2id.saltSize),
                reader.isAtEnd
            else { return nil }
            return PassphraseParameters(cost: .init(passes: passes, kibibytes: kibibytes), salt: salt)
        }
        guard let read, read.cost.isReasonable else {
            throw VaultError(
                .damaged, "a passphrase's slot asks for what no vault asks for",
                hint: "the file was changed: open it with another key, or restore it from a backup")
        }
        self = read
    }

    var encoded: [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(u32: cost.passes)
        bytes.append(u32: cost.kibibytes)
        return bytes + salt
    }
}
