public import VaultBase
public import VaultCrypto
import VaultStore

/// One file that, with the root key, is the whole vault (`Documentation.docc/Format`, "Backup").
///
/// It holds the wrapped keyring, the state, and every connection, account and unfinished refresh, sealed
/// as they are in the store and sealed once more as one stream. Sessions and logins are left out: after a
/// restore, everybody logs in again.
public enum Backup {
    /// What a backup says of itself, in its final manifest.
    public struct Manifest: Sendable, Equatable {
        public var vaultID: [UInt8]
        public var createdAt: Timestamp
        public var sequence: UInt64
        public var connections: Int
        public var users: Int
        /// The length of the file.
        public var bytes: Int
        /// BLAKE2b-256 of all plaintext; what `vault backup` prints.
        public var hash: [UInt8]

        public init(
            vaultID: [UInt8], createdAt: Timestamp, sequence: UInt64, connections: Int, users: Int, bytes: Int,
            hash: [UInt8]
        ) {
            self.vaultID = vaultID
            self.createdAt = createdAt
            self.sequence = sequence
            self.connections = connections
            self.users = users
            self.bytes = bytes
            self.hash = hash
        }
    }

    /// What a backup says of itself in its beginning, which anybody can read and nobody has proven.
    public struct Inspection: Sendable, Equatable {
        public var vaultID: [UInt8]
        public var backupID: [UInt8]
        public var createdAt: Timestamp
        public var sequence: UInt64
        /// Connections, accounts and unfinished refreshes together.
        public var entries: Int
        /// The length of the file.
        public var bytes: Int
        /// How many keys unlock it.
        public var slots: Int
    }

    /// Writes a backup beside `path` as 0600, flushes it, reads it back whole, verifies it and only then
    /// gives it its name. The server goes on meanwhile.
    ///
    /// The file is written from one snapshot of the store, so it is consistent whatever is written
    /// meanwhile; the store keeps what is freed until the last entry was handed to the system's file
    /// cache (not the disk: flushing and verifying come after). A damaged store is not backed up: the
    /// error names what to look at.
    ///
    /// - Parameter progress: told how many of how many entries are done; each counts twice, once written
    ///   and once verified. Called from another thread.
    /// - Throws: `conflict` when `path` exists; `full`, `file`; `damaged`; on any error nothing is left behind.
    public static func write(
        _ records: Records, to path: String, progress: @escaping @Sendable (_ done: Int, _ total: Int) -> Void
    ) async throws -> Manifest {
        try await Blocking.run {
            let file = try NewFile(at: path)
            // Taken before the snapshot: a term that is destroyed meanwhile still opens what was copied.
            let before = records.keys
            let written = try write(records, to: file, progress)
            try file.flush()
            let manifest = try read(file.reader(), unlock: .keys(records.keys.reading(before))) { done, total, _ in
                progress(total + done, 2 * total)
            }
            guard manifest.hash == written else { throw BackupError.damaged("it reads back as something else") }
            try file.publish()
            return manifest
        }
    }

    /// Reads a backup to its last byte and opens every record in it.
    ///
    /// - Throws: `wrong-key`; `damaged` for any byte changed, missing or added; `newer-format`, `file`.
    public static func verify(
        _ path: String, rootKey: GuardedKey, progress: @Sendable (_ done: Int, _ total: Int) -> Void
    ) throws -> Manifest {
        try read(FileReader(at: path), unlock: .rootKey(rootKey)) { done, total, _ in progress(done, total) }
    }

    /// The key that opens the backup: a passphrase's is derived with what the backup says.
    ///
    /// - Throws: `wrong-key`, `damaged`, `newer-format`, `file`.
    public static func key(opening path: String, with unlock: UnlockKey) throws -> GuardedKey {
        try unlock.key(opening: BackupReader.header(FileReader(at: path)).0.keyring)
    }

    /// What a backup's beginning says; needs no key and proves nothing.
    ///
    /// - Throws: `damaged` when it is no backup, `newer-format`, `file`.
    public static func inspect(_ path: String) throws -> Inspection {
        let file = try FileReader(at: path)
        let (header, _) = try BackupReader.header(file)
        return Inspection(
            vaultID: header.vaultID, backupID: header.backupID, createdAt: header.createdAt,
            sequence: header.sequence, entries: Int(clamping: header.entries), bytes: file.size,
            slots: try Keyring.slots(in: header.keyring).slots.count)
    }

    /// Reads a whole backup and checks everything that can be checked; `visit` sees each entry, opened,
    /// and how many of how many were read (nothing it was shown counts until this returns).
    static func read(
        _ file: FileReader, unlock: BackupReader.Unlock,
        visit: (_ done: Int, _ total: Int, SealedValue?) throws -> Void
    ) throws -> Manifest {
        var reader = try BackupReader(file, unlock: unlock)
        let (header, keys) = (reader.header, reader.keys)
        let total = Int(clamping: header.entries)
        var totals = BackupTotals()
        var tally = Tally()
        var state: VaultState?
        try visit(0, total, nil)
        while let item = try reader.next(totals) {
            switch item {
            case .state(let bytes):
                state = try bytes.withUnsafeBytes { try VaultState($0, keys) }
            case .entry(let table, let key, let value):
                let opened = try key.withUnsafeBytes { key in
                    try value.withUnsafeBytes { value in
                        totals.add(table, key)
                        if let stamp = Stamp(value) { tally.add(stamp, to: table, under: key, keys) }
                        return try SealedValue(naming: table, key, value, keys)
                    }
                }
                try visit(totals.entries, total, opened)
            }
        }
        guard let state, state.vaultID == header.vaultID, state.sequence == header.sequence else {
            throw BackupError.damaged("its state is of another moment")
        }
        for table in BackupContent.tables where tally[table] != state[table] {
            throw BackupError.damaged("\(table.table.rawValue): it does not hold what the vault held")
        }
        return Manifest(
            vaultID: header.vaultID, createdAt: header.createdAt, sequence: header.sequence,
            connections: totals.connections, users: totals.users, bytes: file.size, hash: reader.digest)
    }

    /// Writes header and chunks; returns the hash.
    private static func write(
        _ records: Records, to file: NewFile, _ progress: (Int, Int) -> Void
    ) throws -> [UInt8] {
        let (keys, now) = (records.keys, records.now)
        return try records.store.read { transaction in
            guard let stateBytes = try Records.bytes(VaultState.key, in: .state, transaction),
                let keyring = try Records.bytes(Keyring.storeKey, in: .keyring, transaction)
            else { throw VaultState.damaged }
            let state = try stateBytes.withUnsafeBytes { try VaultState($0, keys) }
            let total = BackupContent.tables.reduce(0) { $0 + Int(clamping: state[$1].count) }
            let header = BackupHeader(
                vaultID: state.vaultID, backupID: Random.bytes(16), sequence: state.sequence, createdAt: now,
                entries: UInt64(total), keyring: keyring)
            let bytes = header.encoded()
            let fileKey = try header.fileKey(keys.keyring)
            try (bytes + BackupHeader.tag(bytes, fileKey)).withUnsafeBytes { try file.write($0) }
            var writer = try BackupWriter(file, streamKey: BackupHeader.streamKey(fileKey))
            try writer.state(stateBytes)
            var totals = BackupTotals()
            var tally = Tally()
            for table in BackupContent.tables {
                try transaction.scan(table.table, from: RawSpan()) { key, value in
                    try key.withUnsafeBytes { key in
                        try value.withUnsafeBytes { value in
                            totals.add(table, key)
                            if let stamp = Stamp(value) { tally.add(stamp, to: table, under: key, keys) }
                            try writer.entry(table, key, value)
                        }
                    }
                    if totals.entries % 1024 == 0 { progress(totals.entries, 2 * total) }
                    return true
                }
                guard tally[table] == state[table] else {
                    throw VaultError(
                        .damaged, "\(table.table.rawValue): the vault does not hold what was written to it",
                        hint: "look at it with: vault check")
                }
            }
            return try writer.finish(totals)
        }
    }
}
