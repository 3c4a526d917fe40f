public import VaultBase
public import VaultCrypto
public import VaultStore

extension Backup {
    /// Verifies the backup, then loads it into `store`, which must be empty. Connections whose refresh
    /// token may have been spent since (`isSingleUse` says so of their platform) become `uncertain`.
    ///
    /// So do those that were being refreshed when the backup was made. Whatever ended meanwhile is loaded
    /// and stays ended. Versions go on far above the backup's, so that none is ever used twice. The vault
    /// keeps its id, its keys and its root key; it has no sessions.
    ///
    /// The keyring and the state are written last: a store in which this was interrupted holds no vault.
    ///
    /// - Parameter progress: told how many of how many entries are done; each counts twice, once verified
    ///   and once loaded.
    /// - Throws: `conflict` when the store is not empty; `wrong-key`, `damaged`, `newer-format`, `file`, all
    ///   before anything is written; `full`.
    public static func restore(
        _ path: String, into store: any Store, rootKey: GuardedKey,
        isSingleUse: @escaping @Sendable (PlatformName) -> Bool,
        progress: @escaping @Sendable (_ done: Int, _ total: Int) -> Void
    ) async throws -> Manifest {
        guard try store.read({ try Records.isEmpty($0) }) else {
            throw VaultError(
                .conflict, "the place to restore into is not empty", hint: "name a directory that is not there yet")
        }
        // The same open file both times, and each time every byte is authenticated.
        let file = try FileReader(at: path)
        let (manifest, unfinished) = try await Blocking.run {
            var unfinished: Set<ConnectionName> = []
            let manifest = try read(file, unlock: .rootKey(rootKey)) { done, total, opened in
                if case .redemption(let redemption)? = opened?.content {
                    unfinished.insert(ConnectionName(user: redemption.user, platform: redemption.platform))
                }
                if done % 1024 == 0 || done == total { progress(done, 2 * total) }
            }
            return (manifest, unfinished)
        }
        var loader = try Loader(file, rootKey: rootKey) { unfinished.contains($0) || isSingleUse($0.platform) }
        while let batch = try loader.next() {
            try await loader.load(batch, into: store)
            progress(loader.total + loader.done, 2 * loader.total)
        }
        try await loader.finish(in: store)
        return manifest
    }
}

/// Loads the entries of a verified backup, many in a transaction.
private struct Loader: ~Copyable {
    struct Entry: Sendable {
        let table: SealedTable
        let key: [UInt8]
        let value: [UInt8]
    }

    let total: Int
    private(set) var done = 0
    private var reader: BackupReader
    private var isAtEnd = false
    private var totals = BackupTotals()
    private let isUncertain: @Sendable (ConnectionName) -> Bool
    private let keys: VaultKeys
    /// What the new vault's state will be.
    private var state: VaultState?

    /// The versions between a backup's and those after its restore: more than any vault writes meanwhile.
    private static let gap: UInt64 = 1 << 32
    private static let batch = 1000
    private static let batchBytes = 4 << 20

    init(
        _ file: FileReader, rootKey: GuardedKey, isUncertain: @escaping @Sendable (ConnectionName) -> Bool
    ) throws {
        reader = try BackupReader(file, unlock: .rootKey(rootKey))
        total = Int(clamping: reader.header.entries)
        keys = reader.keys
        self.isUncertain = isUncertain
    }

    mutating func next() throws -> [Entry]? {
        var batch: [Entry] = []
        var bytes = 0
        while batch.count < Self.batch, bytes < Self.batchBytes {
            guard !isAtEnd, let item = try reader.next(totals) else {
                isAtEnd = true
                return batch.isEmpty ? nil : batch
            }
            switch item {
            case .state(let stored):
                let old = try stored.withUnsafeBytes { try VaultState($0, keys) }
                var new = VaultState(vaultID: old.vaultID, at: old.createdAt, keyringGeneration: old.keyringGeneration)
                new.clock = old.clock
                new.epoch = old.epoch + 1
                new.sequence = old.sequence + Self.gap
                state = new
            case .entry(let table, let key, let value):
                key.withUnsafeBytes { totals.add(table, $0) }
                batch.append(Entry(table: table, key: key, value: value))
                bytes += key.count + value.count
            }
        }
        return batch
    }

    mutating func load(_ batch: [Entry], into store: any Store) async throws {
        guard let before = state else { throw VaultState.damaged }
        let (keys, isUncertain) = (keys, isUncertain)
        state = try await store.write { transaction in
            let records = RecordsTransaction(keys: keys, now: before.clock, state: before, transaction: transaction)
            for entry in batch {
                // An unfinished refresh is told by its connection's health from here on.
                if entry.table == .journal { continue }
                try records.load(entry.table, entry.key, entry.value, isUncertain)
            }
            return records.state
        }
        done += batch.count
    }

    /// Writes what makes it a vault, then looks whether everything is there.
    consuming func finish(in store: any Store) async throws {
        guard let state else { throw VaultState.damaged }
        let (keys, keyring) = (keys, reader.header.keyring)
        try await store.write { transaction in
            let bytes = state.encoded(keys)
            let (stateKey, keyringKey) = (VaultState.key, Keyring.storeKey)
            try transaction.put(bytes.span.bytes, for: stateKey.span.bytes, in: .state)
            try transaction.put(keyring.span.bytes, for: keyringKey.span.bytes, in: .keyring)
        }
        guard try store.read({ try Tally($0, keys).matches(state) }) else {
            throw VaultError(.damaged, "the restored vault does not hold what the backup holds")
        }
    }
}

extension RecordsTransaction {
    /// Puts a value of a backup in its place, with its index entries.
    fileprivate func load(
        _ table: SealedTable, _ key: [UInt8], _ value: [UInt8], _ isUncertain: (ConnectionName) -> Bool
    ) throws {
        let opened = try key.withUnsafeBytes { key in
            try value.withUnsafeBytes { try SealedValue(naming: table, key, $0, keys) }
        }
        guard case .connection(var connection) = opened.content else {
            return try keep(table, key, value)
        }
        let name = ConnectionName(user: connection.user, platform: connection.platform)
        var isDead = false
        if case .reconnect = connection.health { isDead = true }
        if connection.refreshToken != nil, !isDead, connection.health != .uncertain, isUncertain(name) {
            connection.health = .uncertain
            try put(connection, expecting: nil)
            return
        }
        try keep(table, key, value)
        if let endsAt = connection.endsAt {
            try index(.expiry, Key.timed(endsAt.rawValue, nil, key), opened.header.version)
        }
        if let dueAt = connection.dueAt {
            try index(.due, Key.timed(dueAt.rawValue, nil, key), opened.header.version)
        }
    }
}
