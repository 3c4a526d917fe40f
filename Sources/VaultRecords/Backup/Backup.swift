public import VaultBase
public import VaultCrypto
public import VaultStore

/// One file that, with the root key, is the whole vault (`Documentation.docc/Format`, "Backup").
public enum Backup {
    /// What a backup says of itself, in its final manifest.
    public struct Manifest: Sendable, Equatable {
        public var vaultID: [UInt8]
        public var createdAt: Timestamp
        public var sequence: UInt64
        public var connections: Int
        public var users: Int
        public var bytes: Int
        /// BLAKE2b-256 of all plaintext; what `vault backup` prints.
        public var hash: [UInt8]
    }

    /// Writes a backup beside `path` as 0600, flushes it, reads it back whole, verifies it and only then
    /// gives it its name. The server goes on meanwhile.
    ///
    /// - Throws: `conflict` when `path` exists; `full`, `file`; on any error nothing is left behind.
    public static func write(
        _ records: Records, to path: String, progress: @Sendable (_ done: Int, _ total: Int) -> Void
    ) async throws -> Manifest { fatalError("stub") }

    /// Reads a backup to its last byte and opens every record in it.
    public static func verify(
        _ path: String, rootKey: GuardedKey, progress: @Sendable (_ done: Int, _ total: Int) -> Void
    ) throws -> Manifest { fatalError("stub") }

    /// Verifies the backup, then loads it into `store`, which must be empty. Connections whose refresh
    /// token may have been spent since (`isSingleUse` says so of their platform) become `uncertain`.
    public static func restore(
        _ path: String, into store: any Store, rootKey: GuardedKey,
        isSingleUse: @Sendable (PlatformName) -> Bool, progress: @Sendable (_ done: Int, _ total: Int) -> Void
    ) async throws -> Manifest { fatalError("stub") }
}
