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
    /// The keyring and the state are written last, in the one write that waits for the disk: a store in which this
    /// was interrupted holds no vault, and after a power cut it may not open.
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
        var loader = Loader(contents, last)
        for (index, found) in contents.enumerated() {
            // By its place: an increment that holds no change ends where the one before it ends.
            let batches = LoadBatches(
                try sources[index].reader(proven: found.manifest.hash), loader.keys,
                isLast: index == contents.count - 1,
                isUncertain: { unfinished.contains($0) || isSingleUse($0.platform) })
            var next = try await batches.next()
            while let batch = next {
                // While one is put in, the next one is opened.
                async let following = batches.next()
                try await loader.load(batch, into: store)
                progress(total + loader.done, 2 * total)
                next = try await following
            }
        }
        try await loader.finish(last, newKey, in: store)
        return last.manifest
    }
}

/// Puts the entries of verified backups into a store, many in a transaction.
private struct Loader {
    private(set) var done = 0
    /// Seal as the last keyring does and open what any file holds.
    let keys: VaultKeys
    /// What the new vault's state will be.
    private var state: VaultState
    /// The sequence it begins with: later versions are of what the restore changed.
    private let beginning: UInt64

    /// The versions between a backup's and those after its restore: more than any vault writes meanwhile.
    private static let gap: UInt64 = 1 << 32

    init(_ contents: [Backup.Contents], _ last: Backup.Contents) {
        keys = contents.dropLast().reduce(last.keys) { $0.reading($1.keys) }
        let old = last.state
        state = VaultState(vaultID: old.vaultID, at: old.createdAt, keyringGeneration: old.keyringGeneration)
        state.clock = old.clock
        state.epoch = old.epoch + 1
        state.sequence = old.sequence + Self.gap
        beginning = state.sequence
    }

    mutating func load(_ batch: LoadBatch, into store: any Store) async throws {
        let (keys, before) = (keys, state)
        // Nobody sees the store before it is whole, so the disk is waited for once, by `finish`.
        state = try await store.load { transaction in
            let records = RecordsTransaction(keys: keys, now: before.clock, state: before, transaction: transaction)
            records.leastChanges = nil
            for entry in batch.entries { try records.load(entry) }
            return records.state
        }
        done += batch.count
    }

    /// Looks whether everything is there, then writes what makes it a vault.
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
        guard try await Blocking.run({ try store.read { try Tally($0, keys).matches(final) } }) else {
            throw VaultError(.damaged, "the restored vault does not hold what the backup holds")
        }
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
    }
}

extension RecordsTransaction {
    /// Puts a value of a backup in its place, with its index entries, or takes away what is there.
    fileprivate func load(_ entry: LoadBatch.Entry) throws {
        let (table, key) = (entry.table, entry.key)
        if entry.isChange, let old = try stamp(table, key) {
            if table == .records, let name = key.withUnsafeBytes({ Key.names($0) }) {
                try removeEnded(name, key)
            } else {
                try remove(table, key, old: old.stamp)
            }
        }
        if let connection = entry.uncertain {
            try put(connection, expecting: nil)
            return
        }
        guard let value = entry.value else { return }
        try keep(table, key, value)
        if entry.endsAt != 0 { try index(.expiry, Key.timed(entry.endsAt, table.mark, key), entry.version) }
        for place in entry.agenda { try index(.due, place, entry.version) }
    }
}

extension Connection {
    /// Whether it has a refresh token of which nobody can be sure when it comes from a backup.
    public var mayBeSpent: Bool { !health.isDead && refreshToken != nil && health != .uncertain }
}
