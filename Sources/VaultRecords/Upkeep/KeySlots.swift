public import VaultBase
public import VaultCrypto
import VaultStore

/// One key that opens the vault.
public struct KeySlot: Sendable, Equatable {
    /// Which key it is, in 32 hexadecimal digits; tells nothing of the key.
    public var id: String
    public var kind: Kind
    /// Whether this process opened the vault with it.
    public var isInUse: Bool
    /// What a passphrase is derived with, in hexadecimal; empty for other kinds.
    public var parameters: String

    public enum Kind: String, Sendable {
        case rootKey = "root-key"
        case passphrase
        case recovery
        /// Of a later version.
        case unknown
    }

    init(_ slot: Keyring.Slot, openedBy: [UInt8]) {
        id = Hex.encode(slot.keyID)
        kind =
            switch slot.kind {
            case Keyring.Slot.rootKey: .rootKey
            case Keyring.Slot.passphrase: .passphrase
            case Keyring.Slot.recovery: .recovery
            default: .unknown
            }
        isInUse = slot.keyID == openedBy
        parameters = Hex.encode(slot.parameters)
    }

    /// Whether `passphrase` is the one of the slot with this id and these parameters; takes half a second.
    ///
    /// - Throws: `damaged` for parameters no vault writes.
    public static func opens(
        _ passphrase: Secret, id: String, parameters: String, vaultID: String
    ) throws(VaultError) -> Bool {
        guard let parameters = Hex.decode(parameters), let vaultID = Hex.decode(vaultID) else { return false }
        return try PassphraseSlot.keyID(passphrase, parameters: parameters, vaultID: vaultID) == Hex.decode(id)
    }
}

extension Records {
    /// The keys that open the vault, in the order they were added.
    public func keySlots() -> [KeySlot] {
        let openedBy = openedBy
        return keys.keyring.slots.map { KeySlot($0, openedBy: openedBy) }
    }

    /// Lets `new` open the vault too. The keyring is opened with it before anything is written, and read back after.
    ///
    /// - Throws: `conflict` when it does so already or there is no room.
    public func addKey(_ new: NewKey) async throws -> KeySlot {
        try await changeKeyring(proving: new.key) { keyring in try keyring.addSlot(new) }
        return try slot(of: new)
    }

    /// Removes a key; the ones that stay go on opening the vault, and what is sealed does not change.
    ///
    /// - Parameter id: its id, or the beginning of it that no other has.
    /// - Throws: `not-found`; `conflict` for the key this process opened the vault with, which is the only
    ///   one known to work.
    public func removeKey(_ id: String) async throws -> KeySlot {
        let slot = try keySlot(id)
        guard !slot.isInUse else {
            throw VaultError(
                .conflict, "the vault is open with this very key, and no other is known to work",
                hint: "open it with another: --key-source without a server, or a server started with another key.source"
            )
        }
        let keyID = Hex.decode(slot.id) ?? []
        try await changeKeyring { keyring in try keyring.removeSlot(keyID) }
        return slot
    }

    /// Puts `new` in the place of a key, in one step.
    public func replaceKey(_ id: String, with new: NewKey) async throws -> KeySlot {
        let old = try keySlot(id)
        let keyID = Hex.decode(old.id) ?? []
        try await changeKeyring(proving: new.key) { keyring in
            // A full keyring has room for a replacement: first out, then in.
            if keyring.slots.count > 1 {
                try keyring.removeSlot(keyID)
                try keyring.addSlot(new)
            } else {
                try keyring.addSlot(new)
                try keyring.removeSlot(keyID)
            }
        }
        if old.isInUse { install(keys, openedBy: new.key) }
        return try slot(of: new)
    }

    /// The key with this id, or with an id that begins so.
    public func keySlot(_ id: String) throws -> KeySlot {
        let found = keySlots().filter { !id.isEmpty && $0.id.hasPrefix(id.lowercased()) }
        guard let slot = found.first else {
            throw VaultError(.notFound, "the vault has no key \(id)", hint: "see: vault key list")
        }
        guard found.count == 1 else {
            throw VaultError(.conflict, "\(id) is the beginning of \(found.count) keys", hint: "give more of it")
        }
        return slot
    }

    /// The id of the key that the vault was opened with.
    private var openedBy: [UInt8] { Keyring.keyID(of: key, vaultID: keys.keyring.vaultID) }

    private func slot(of new: NewKey) throws -> KeySlot {
        // From the disk, not from what was meant to be there.
        let opened = try store.read { try Keyring.open(Self.wrappedKeyring($0), with: new.key) }
        guard let slot = opened.slot(of: new.key) else { throw VaultError(.internal, "the new key is not there") }
        return KeySlot(slot, openedBy: openedBy)
    }

    /// Changes the keyring and its generation in the state in one transaction, then uses it.
    ///
    /// - Parameters:
    ///   - key: one that must open the changed keyring.
    ///   - holding: throws when the state does not allow the change.
    /// - Throws: `conflict` when the keyring was changed by another call meanwhile.
    func changeKeyring(
        proving key: GuardedKey? = nil, _ change: @escaping @Sendable (inout Keyring) throws -> Void,
        holding: @escaping @Sendable (VaultState) throws -> Void = { _ in }
    ) async throws {
        let keyring = try await store.write { [self] transaction in
            // A key that was stolen is replaced in a full vault, too.
            transaction.room = .saving
            let keys = keys
            var state = try VaultState.load(transaction, keys)
            guard state.keyringGeneration == keys.keyring.generation else {
                throw VaultError(.conflict, "the keys are being changed by another command", hint: "try again")
            }
            try holding(state)
            var keyring = keys.keyring
            try change(&keyring)
            state.keyringGeneration = keyring.generation
            state.sequence += 1
            let (bytes, stateBytes) = (try keyring.provenBytes(with: key), state.encoded(keys))
            let (keyringKey, stateKey) = (Keyring.storeKey, VaultState.key)
            try transaction.put(bytes.span.bytes, for: keyringKey.span.bytes, in: .keyring)
            try transaction.put(stateBytes.span.bytes, for: stateKey.span.bytes, in: .state)
            return keyring
        }
        install(VaultKeys(keyring))
    }
}
