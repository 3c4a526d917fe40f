package import VaultBase

/// The vault's data keys: numbered terms that seal records, and three keys for the vault's own needs.
///
/// A root key wraps it (see `KeyringCoding.swift` for the bytes). Changing the root key re-wraps the
/// keyring and touches no record; rotating adds a term that seals from then on, while records of older
/// terms stay readable until they are sealed again.
package struct Keyring: Sendable {
    /// A numbered data key.
    package struct Term: Sendable {
        package let id: UInt32
        package var state: State
        package let createdAt: Timestamp
        /// Nil once the term is destroyed.
        package var key: GuardedKey?

        package enum State: UInt8, Sendable {
            /// Seals what is written now; exactly one term is.
            case active = 1
            /// Opens what it sealed and seals nothing more.
            case readable = 2
            /// Its key is gone: what it sealed can never be opened again.
            case destroyed = 3
        }
    }

    /// One way to unlock the keyring: its root, wrapped by a key from outside.
    package struct Slot: Sendable, Equatable {
        /// Where the key comes from. Others may follow; an unknown kind is kept and skipped.
        package static let rootKey: UInt8 = 1
        /// A passphrase; the parameters are passes u32, KiB u32, salt 16.
        package static let passphrase: UInt8 = 2
        /// A key that was printed once; a slot's key like any other.
        package static let recovery: UInt8 = 3

        package let kind: UInt8
        package let parameters: [UInt8]
        /// Tells which key opens the slot, without telling anything about the key.
        package let keyID: [UInt8]
        package let nonce: [UInt8]
        package let box: [UInt8]
    }

    package static let slotLimit = 16
    package static let parameterLimit = 1024
    package static let termLimit = 256

    /// 16 random bytes that name the vault.
    package let vaultID: [UInt8]
    /// Grows by one with every change, so that an old keyring put back is noticed.
    package internal(set) var generation: UInt32
    package internal(set) var slots: [Slot]
    /// In order of their ids.
    package internal(set) var terms: [Term]
    /// Authenticates the state record and hashes the set of all records.
    package let stateKey: GuardedKey
    /// Hashes the ids that must not stand in the store.
    package let indexKey: GuardedKey
    /// Backups derive their file keys from it.
    package let backupKey: GuardedKey
    /// What every slot wraps.
    let root: GuardedKey

    /// A new keyring with its first term, unlocked by `rootKey`.
    package init(vaultID: [UInt8], rootKey: GuardedKey, at time: Timestamp) throws(VaultError) {
        try self.init(vaultID: vaultID, key: NewKey(rootKey: rootKey), at: time)
    }

    /// A new keyring with its first term, unlocked by `key`.
    package init(vaultID: [UInt8], key: NewKey, at time: Timestamp) throws(VaultError) {
        precondition(vaultID.count == 16, "a vault id has 16 bytes")
        self.vaultID = vaultID
        generation = 1
        terms = [Term(id: 1, state: .active, createdAt: time, key: try .generate())]
        stateKey = try .generate()
        indexKey = try .generate()
        backupKey = try .generate()
        root = try .generate()
        slots = []
        slots = [
            try Self.wrap(root, by: key.key, kind: key.kind, parameters: key.parameters, vaultID: vaultID)
        ]
    }

    init(
        vaultID: [UInt8], generation: UInt32, slots: [Slot], terms: [Term], stateKey: GuardedKey,
        indexKey: GuardedKey, backupKey: GuardedKey, root: GuardedKey
    ) {
        self.vaultID = vaultID
        self.generation = generation
        self.slots = slots
        self.terms = terms
        self.stateKey = stateKey
        self.indexKey = indexKey
        self.backupKey = backupKey
        self.root = root
    }

    /// The term that seals now.
    package var active: Term {
        guard let term = terms.last(where: { $0.state == .active }) else {
            preconditionFailure("a keyring always has an active term; the parser holds to it")
        }
        return term
    }

    /// Adds a term that seals from now on; the one before stays readable.
    package mutating func addTerm(at time: Timestamp) throws(VaultError) {
        guard terms.count < Self.termLimit, let last = terms.last, last.id < .max else {
            throw VaultError(.conflict, "the keyring holds \(terms.count) terms and has no room for another")
        }
        let key = try GuardedKey.generate()
        for index in terms.indices where terms[index].state == .active { terms[index].state = .readable }
        terms.append(Term(id: last.id + 1, state: .active, createdAt: time, key: key))
        generation += 1
    }

    /// Forgets the key of a term that seals nothing any more.
    package mutating func destroyTerm(_ id: UInt32) throws(VaultError) {
        guard let index = terms.firstIndex(where: { $0.id == id }), terms[index].state != .active else {
            throw VaultError(.conflict, "term \(id) is in use or not there")
        }
        terms[index].state = .destroyed
        terms[index].key = nil
        generation += 1
    }
}
