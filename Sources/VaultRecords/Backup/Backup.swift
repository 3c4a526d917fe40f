public import VaultBase
import VaultCrypto
import VaultStore

/// One file that, with a key it was made for, is the whole vault, or all that changed since an earlier one
/// (`Documentation.docc/Format`, "Backup").
///
/// It holds the keyring, the state, and connections, accounts and unfinished refreshes, sealed as they are in
/// the store and sealed once more as one stream. Sessions and logins are left out: after a restore, everybody
/// logs in again.
public enum Backup {
    /// What a backup says of itself, all of it proven.
    public struct Manifest: Sendable, Equatable {
        public var vaultID: [UInt8]
        public var createdAt: Timestamp
        /// Where the backup before it ended; nil for a full one.
        public var since: ChainPoint?
        public var end: ChainPoint
        public var sequence: UInt64 { end.sequence }
        /// How many connections the vault had then.
        public var connections: Int
        /// Values and changes in this file.
        public var entries: Int
        /// The length of the file.
        public var bytes: Int
        /// BLAKE2b-256 of all plaintext; what `vault backup` prints.
        public var hash: [UInt8]
    }

    /// What a backup says of itself in its beginning, which anybody can read and nobody has proven.
    public struct Inspection: Sendable, Equatable {
        public var vaultID: [UInt8]
        public var backupID: [UInt8]
        public var createdAt: Timestamp
        public var since: ChainPoint?
        public var end: ChainPoint
        /// Connections, accounts and unfinished refreshes together, or how many changes of them.
        public var entries: Int
        /// Whom it is for: `vault`, `passphrase`, `public:…` or `unknown`.
        public var recipients: [String]
    }

    /// Writes a backup beside `path` as 0600, flushes it, reads it back whole, verifies it and only then
    /// gives it its name. The server goes on meanwhile.
    ///
    /// The vault is copied in slices of some milliseconds, and what changes behind the copy is added until it
    /// is the vault of one moment: the store grows no more than without a backup, however slow the disk is
    /// that `path` is on. A damaged store is not backed up: the error names what to look at.
    ///
    /// - Parameters:
    ///   - recipients: who can open it; 1 to 16.
    ///   - since: what an increment follows; nil for a full backup.
    ///   - progress: told how many of how many entries are done; each counts twice, once written and once
    ///     verified. Called from another thread.
    /// - Throws: `conflict` when `path` exists, or when the change log does not reach back to `since`; `full`,
    ///   `file`; `damaged`; `unavailable` when the vault changes faster than it is copied. On any error nothing
    ///   is left behind.
    public static func write(
        _ records: Records, to path: String, for recipients: [BackupRecipient] = [.vault], since: ChainPoint? = nil,
        progress: @escaping @Sendable (_ done: Int, _ total: Int) -> Void
    ) async throws -> Manifest {
        guard (1...BackupHeader.slotLimit).contains(recipients.count) else {
            throw VaultError(.badRequest, "a backup is for 1 to \(BackupHeader.slotLimit) recipients")
        }
        return try await Blocking.run(untilCancelled: { isCancelled in
            let file = try NewFile(at: path)
            let fileKey = try GuardedKey.generate()
            let (entries, hash) = try write(records, to: file, fileKey, recipients, since) { done, total in
                if isCancelled() { throw CancellationError() }
                progress(done, total)
            }
            try file.flush()
            let source = try BackupSource(file.reader(), fileKey: fileKey)
            let contents = try contents(of: source) { done, _ in
                if isCancelled() { throw CancellationError() }
                progress(entries + done, 2 * entries)
            }
            guard contents.manifest.hash == hash else { throw BackupError.damaged("it reads back as something else") }
            try file.publish()
            return contents.manifest
        })
    }

    /// Writes header and chunks; returns how many entries, and the hash.
    private static func write(
        _ records: Records, to file: NewFile, _ fileKey: GuardedKey, _ recipients: [BackupRecipient],
        _ since: ChainPoint?, _ progress: @escaping (Int, Int) throws -> Void
    ) throws -> (Int, [UInt8]) {
        let (keyring, keys, total) = try beginning(records)
        let id = Random.bytes(16)
        var header = BackupHeader(
            vaultID: keys.keyring.vaultID, backupID: id, since: since, end: .nothing, createdAt: records.now,
            entries: 0,
            slots: try recipients.map { recipient in
                try BackupSlot(recipient, fileKey: fileKey, backupID: id, keys, keyring: keyring)
            })
        guard header.slots.reduce(0, { $0 + $1.encoded.count }) <= BackupHeader.slotsLimit else {
            throw VaultError(.badRequest, "the backup's recipients need more room than its header has")
        }
        // Its place is kept free: what it says is known at the end.
        let place = [UInt8](repeating: 0, count: header.encoded().count + BackupHeader.tagSize)
        try place.withUnsafeBytes { try file.write($0) }
        let copy = try BackupCopy(
            records, since: since, BackupWriter(file, streamKey: BackupHeader.streamKey(fileKey)), keyring: keyring,
            keys, progress)
        let end = try copy.run(total: since == nil ? total : 0)
        header.end = end.point
        header.entries = UInt64(end.entries)
        header.createdAt = records.now
        let bytes = header.encoded()
        try file.rewrite(bytes + BackupHeader.tag(bytes, fileKey))
        return (end.entries, end.hash)
    }

    /// The keyring as it is in the store and in memory, and about how many entries there are.
    private static func beginning(_ records: Records) throws -> ([UInt8], VaultKeys, Int) {
        let keys = records.keys
        return try records.store.read { transaction in
            let state = try VaultState.load(transaction, keys)
            let total = ([.records, .identities] + BackupContent.whole).reduce(0) {
                $0 + Int(clamping: state[$1].count)
            }
            return (try Records.wrappedKeyring(transaction), keys, total)
        }
    }

    /// What a backup's beginning says; needs no key and proves nothing.
    ///
    /// - Throws: `damaged` when it is no backup, `newer-format`, `file`.
    public static func inspect(_ path: String) throws -> Inspection {
        let (header, _) = try BackupSource.header(FileReader(at: path))
        return Inspection(
            vaultID: header.vaultID, backupID: header.backupID, createdAt: header.createdAt, since: header.since,
            end: header.end, entries: Int(clamping: header.entries), recipients: header.slots.map(\.words))
    }
}
