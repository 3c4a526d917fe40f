public import VaultBase
public import VaultCrypto
public import VaultStore

extension OpenBackup {
    /// Verifies the backup, then loads it into `store`, which must be empty. Connections whose refresh
    /// token may have been spent since (`isSingleUse` says so of their platform) become `uncertain`.
    ///
    /// So do those that were being refreshed when the backup was made. Whatever ended meanwhile is loaded
    /// and stays ended. Versions go on far above the backup's, so that none is ever used twice. The vault
    /// keeps its id, its data keys and the keys that open it; it has no sessions.
    ///
    /// The keyring and the state are written last: a store in which this was interrupted holds no vault.
    ///
    /// - Parameters:
    ///   - newKey: becomes the only key that opens the new vault.
    ///   - progress: told how many of how many entries are done; each counts twice, once verified and once
    ///     loaded.
    /// - Returns: the last file's manifest.
    /// - Throws: `conflict` when the store is not empty or the first file is an increment; `damaged`,
    ///   `newer-format`, `file`, all before anything is written; `full`.
    public func restore(
        into store: any Store, newKey: NewKey? = nil,
        isSingleUse: @escaping @Sendable (PlatformName) -> Bool,
        progress: @escaping @Sendable (_ done: Int, _ total: Int) -> Void
    ) async throws -> Backup.Manifest {
        try checkBeginning()
        guard try store.read({ try Records.isEmpty($0) }) else {
            throw VaultError(
                .conflict, "the place to restore into is not empty", hint: "name a directory that is not there yet")
        }
        let total = entries
        // The same open files both times, and each time every byte is authenticated.
        let contents = try await Blocking.run { [self] in
            try self.contents { done, _ in if done % 1024 == 0 || done == total { progress(done, 2 * total) } }
        }
        guard let last = contents.last else { throw VaultState.damaged }
        let unfinished = last.unfinished
        var loader = Loader(
            contents, last, isUncertain: { unfinished.contains($0) || isSingleUse($0.platform) })
        for source in sources {
            var reader = try source.reader()
            let isLast = source.header.end == last.manifest.end
            while let batch = try Loader.next(&reader) {
                try await loader.load(batch, isLast: isLast, into: store)
                progress(total + loader.done, 2 * total)
            }
        }
        try await loader.finish(last, newKey, in: store)
        return last.manifest
    }
}

/// Loads the entries of verified backups, many in a transaction.
private struct Loader {
    struct Entry: Sendable {
        let table: SealedTable
        let key: [UInt8]
        /// nil where it is removed.
        let value: [UInt8]?
    }

    private(set) var done = 0
    private let isUncertain: @Sendable (ConnectionName) -> Bool
    /// Seal as the last keyring does and open what any file holds.
    private let keys: VaultKeys
    /// What the new vault's state will be.
    private var state: VaultState
    /// The sequence it begins with: later versions are of what the restore changed.
    private let beginning: UInt64

    /// The versions between a backup's and those after its restore: more than any vault writes meanwhile.
    private static let gap: UInt64 = 1 << 32
    private static let batch = 1000
    private static let batchBytes = 4 << 20

    init(
        _ contents: [Backup.Contents], _ last: Backup.Contents,
        isUncertain: @escaping @Sendable (ConnectionName) -> Bool
    ) {
        keys = contents.dropLast().reduce(last.keys) { $0.reading($1.keys) }
        self.isUncertain = isUncertain
        let old = last.state
        state = VaultState(vaultID: old.vaultID, at: old.createdAt, keyringGeneration: old.keyringGeneration)
        state.clock = old.clock
        state.epoch = old.epoch + 1
        state.sequence = old.sequence + Self.gap
        beginning = state.sequence
    }

    static func next(_ reader: inout BackupReader) throws -> [Entry]? {
        var batch: [Entry] = []
        var bytes = 0
        while batch.count < Self.batch, bytes < Self.batchBytes, let item = try reader.next() {
            switch item {
            case .keyring, .state: continue
            case .value(let table, let key, let value): batch.append(Entry(table: table, key: key, value: value))
            case .change(let table, let key, _, let value): batch.append(Entry(table: table, key: key, value: value))
            }
            bytes += batch.last.map { $0.key.count + ($0.value?.count ?? 0) } ?? 0
        }
        return batch.isEmpty ? nil : batch
    }

    mutating func load(_ batch: [Entry], isLast: Bool, into store: any Store) async throws {
        let (keys, isUncertain, before) = (keys, isUncertain, state)
        state = try await store.write { transaction in
            let records = RecordsTransaction(keys: keys, now: before.clock, state: before, transaction: transaction)
            records.leastChanges = nil
            for entry in batch {
                // An unfinished refresh is told by its connection's health from here on.
                if entry.table == .journal { continue }
                // Of what every file has whole the last one's counts.
                if !isLast, BackupContent.whole.contains(entry.table) { continue }
                try records.load(entry.table, entry.key, entry.value, isUncertain)
            }
            return records.state
        }
        done += batch.count
    }

    /// Writes what makes it a vault, then looks whether everything is there.
    func finish(_ last: Backup.Contents, _ newKey: NewKey?, in store: any Store) async throws {
        let keys = keys
        var (state, keyring) = (state, last.keyring)
        if let newKey {
            let renewed = try last.keys.keyring.renewed(by: newKey)
            keyring = try renewed.provenBytes(with: newKey.key)
            state.keyringGeneration = renewed.generation
        }
        let (final, wrapped) = (state, keyring)
        let news = RestoredGrants(after: beginning, upTo: state.sequence)
        try await store.write { transaction in
            let bytes = final.encoded(keys)
            let (stateKey, keyringKey) = (VaultState.key, Keyring.storeKey)
            try transaction.put(bytes.span.bytes, for: stateKey.span.bytes, in: .state)
            try transaction.put(wrapped.span.bytes, for: keyringKey.span.bytes, in: .keyring)
            // Whoever serves it first tells of what became uncertain.
            guard news.upTo > news.after else { return }
            let (newsKey, mark) = (RestoredGrants.storeKey, news.encoded)
            try transaction.put(mark.span.bytes, for: newsKey.span.bytes, in: .state)
        }
        guard try store.read({ try Tally($0, keys).matches(final) }) else {
            throw VaultError(.damaged, "the restored vault does not hold what the backup holds")
        }
    }
}

extension RecordsTransaction {
    /// Puts a value of a backup in its place, with its index entries, or takes away what is there.
    fileprivate func load(
        _ table: SealedTable, _ key: [UInt8], _ value: [UInt8]?, _ isUncertain: (ConnectionName) -> Bool
    ) throws {
        if let old = try stamp(table, key) {
            if table == .records, let name = key.withUnsafeBytes({ Key.names($0) }) {
                try removeEnded(name, key)
            } else {
                try remove(table, key, old: old.stamp)
            }
        }
        guard let value else { return }
        let opened = try key.withUnsafeBytes { key in
            try value.withUnsafeBytes { try SealedValue(naming: table, key, $0, keys) }
        }
        guard case .connection(var connection) = opened.content else {
            try keep(table, key, value)
            return try index(opened, of: table, key)
        }
        let name = ConnectionName(user: connection.user, platform: connection.platform)
        if connection.mayBeSpent, isUncertain(name) {
            connection.health = .uncertain
            try put(connection, expecting: nil)
            return
        }
        try keep(table, key, value)
        try index(opened, of: table, key)
    }

    private func index(_ opened: SealedValue, of table: SealedTable, _ key: [UInt8]) throws {
        if opened.header.endsAt != 0 {
            try index(.expiry, Key.timed(opened.header.endsAt, table.mark, key), opened.header.version)
        }
        for entry in opened.agenda(key) { try index(.due, entry, opened.header.version) }
    }
}

extension Connection {
    /// Whether it has a refresh token of which nobody can be sure when it comes from a backup.
    public var mayBeSpent: Bool { !health.isDead && refreshToken != nil && health != .uncertain }
}
