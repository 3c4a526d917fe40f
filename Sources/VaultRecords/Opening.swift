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
    ) async throws -> Records { fatalError("stub") }

    /// Opens the vault in `store`.
    ///
    /// - Throws: `no-store` when there is none, `wrong-key`, `damaged`, `newer-format`.
    public static func open(
        _ store: any Store, rootKey: GuardedKey, clock: any WallClock = SystemClock()
    ) throws -> Records { fatalError("stub") }
}
