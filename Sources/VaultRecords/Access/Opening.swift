public import VaultBase
public import VaultCrypto
public import VaultStore

extension Records {
    /// Makes a new vault in an empty store: a vault id, a keyring with its first term wrapped by
    /// `rootKey`, an empty state.
    ///
    /// - Throws: `conflict` when the store holds a vault already.
    public static func create(
        in store: any Store, rootKey: GuardedKey, clock: any WallClock = SystemClock()
    ) async throws -> Records {
        try await create(in: store, key: NewKey(rootKey: rootKey), clock: clock)
    }

    /// The same with a key of any kind, and others that open it too.
    public static func create(
        in store: any Store, key: NewKey, others: [NewKey] = [], clock: any WallClock = SystemClock()
    ) async throws -> Records {
        let now = clock.now()
        var keyring = try Keyring(vaultID: Random.bytes(16), key: key, at: now)
        for other in others { try keyring.addSlot(other) }
        let keys = VaultKeys(keyring)
        let state = VaultState(vaultID: keyring.vaultID, at: now, keyringGeneration: keyring.generation)
        try await install(keyring.provenBytes(with: key.key), state.encoded(keys), in: store)
        return Records(
            store: store, clock: clock, keys: keys, openedBy: key.key,
            state: state)
    }

    /// Opens the vault in `store`.
    ///
    /// - Throws: `no-store` when there is none, `wrong-key`, `damaged`, `newer-format`.
    public static func open(
        _ store: any Store, rootKey: GuardedKey, clock: any WallClock = SystemClock()
    ) throws -> Records {
        try open(store, with: .key(rootKey), clock: clock)
    }

    /// The same with a key of any kind; a passphrase takes half a second.
    public static func open(
        _ store: any Store, with unlock: UnlockKey, clock: any WallClock = SystemClock()
    ) throws -> Records {
        let key = try unlock.key(opening: wrappedKeyring(store))
        let (keys, state) = try store.read { transaction in
            let keys = VaultKeys(try Keyring.open(wrappedKeyring(transaction), with: key))
            let state = try VaultState.load(transaction, keys)
            // They change in one transaction, so a keyring of another generation was put there by hand.
            guard state.keyringGeneration == keys.keyring.generation else {
                throw VaultError(
                    .damaged,
                    "the keyring is of generation \(keys.keyring.generation), the vault of \(state.keyringGeneration)",
                    hint: "restore the vault from a backup: vault restore")
            }
            return (keys, state)
        }
        return Records(
            store: store, clock: clock, keys: keys, openedBy: key,
            state: state)
    }

    private static func wrappedKeyring(_ store: any Store) throws -> [UInt8] { try store.read(wrappedKeyring) }

    static func wrappedKeyring(_ transaction: any StoreReading) throws -> [UInt8] {
        guard let keyring = try bytes(Keyring.storeKey, in: .keyring, transaction) else {
            throw VaultError(
                .noStore, "the store holds no vault", hint: "make one with: vault init, or vault restore")
        }
        return keyring
    }

    /// Whether the store holds anything: a vault can be made or restored only where it does not.
    static func isEmpty(_ transaction: any StoreReading) throws -> Bool {
        try Table.allCases.allSatisfy { try transaction.count($0) == 0 }
    }

    /// Writes the keyring and the state into an empty store.
    private static func install(_ keyring: [UInt8], _ state: [UInt8], in store: any Store) async throws {
        try await store.write { transaction in
            guard try isEmpty(transaction) else {
                throw VaultError(.conflict, "the store holds a vault already", hint: "name another place")
            }
            let keyringKey = Keyring.storeKey
            let stateKey = VaultState.key
            try transaction.put(keyring.span.bytes, for: keyringKey.span.bytes, in: .keyring)
            try transaction.put(state.span.bytes, for: stateKey.span.bytes, in: .state)
        }
    }

    static func bytes(_ key: [UInt8], in table: Table, _ transaction: any StoreReading) throws -> [UInt8]? {
        try transaction.get(key.span.bytes, in: table) { $0.withUnsafeBytes { Array($0) } }
    }
}

extension Keyring {
    /// Where the wrapped keyring stands in its table.
    static let storeKey = Array("keyring".utf8)
}
