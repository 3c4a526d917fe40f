import VaultBase
import VaultCrypto

extension Backup {
    /// What was found in a backup that is whole.
    struct Contents {
        var manifest: Manifest
        var state: VaultState
        /// Open every value in it.
        var keys: VaultKeys
        /// The keyring as it was wrapped in the store.
        var keyring: [UInt8]
        /// The refreshes that were under way.
        var unfinished: Set<ConnectionName> = []
    }

    /// What a walk sees of an entry; its bytes are lent until the walk goes on.
    struct Entry {
        var table: SealedTable
        var key: UnsafeRawBufferPointer
        /// nil where it was removed.
        var value: UnsafeRawBufferPointer?
        /// The value, opened.
        var opened: SealedValue?
    }

    /// Reads a whole backup and checks everything that can be checked; `visit` sees how many entries were
    /// read and the last of them (nothing it was shown counts until this returns).
    ///
    /// An increment proves by itself which contents it begins with: those of its end without its changes.
    static func contents(
        of source: BackupSource, visit: (_ done: Int, Entry?) throws -> Void = { _, _ in }
    ) throws -> Contents {
        var reader = try source.reader()
        let header = source.header
        var change = ChainContents()
        var whole = Tally()
        var state: VaultState?
        var unfinished: Set<ConnectionName> = []
        var done = 0
        try visit(0, nil)
        while let item = try reader.next() {
            let keys = try reader.keys
            var entry: Entry
            switch item {
            case .keyring: continue
            case .state(let bytes):
                state = try VaultState(bytes, keys)
                continue
            case .value(let table, let key, let value): entry = Entry(table: table, key: key, value: value)
            case .change(let table, let key, let old, let value):
                entry = Entry(table: table, key: key, value: value)
                if let old { change.remove(old, from: table, under: key, keys) }
            }
            if let value = entry.value {
                if let stamp = Stamp(value) {
                    if ChangeLog.tables.contains(entry.table) {
                        change.add(stamp, to: entry.table, under: entry.key, keys)
                    } else {
                        whole.add(stamp, to: entry.table, under: entry.key, keys)
                    }
                }
                entry.opened = try SealedValue(naming: entry.table, entry.key, value, keys)
            }
            if case .redemption(let redemption)? = entry.opened?.content {
                unfinished.insert(ConnectionName(user: redemption.user, platform: redemption.platform))
            }
            done += 1
            try visit(done, entry)
        }
        let keys = try reader.keys
        guard let state, state.vaultID == header.vaultID, ChainPoint(state, keys) == header.end else {
            throw BackupError.damaged("its state is of another moment")
        }
        let begin = ChainContents(state) - change
        let isRight = header.since.map { ChainPoint($0.sequence, begin, keys) == $0 } ?? (begin == ChainContents())
        guard isRight, BackupContent.whole.allSatisfy({ whole[$0] == state[$0] }),
            state.sequence >= header.since?.sequence ?? 0
        else {
            throw BackupError.damaged("it does not hold what the vault held")
        }
        let manifest = Manifest(
            vaultID: header.vaultID, createdAt: header.createdAt, since: header.since, end: header.end,
            connections: Int(clamping: state[.records].count), entries: done, bytes: source.file.position,
            hash: reader.digest)
        return Contents(
            manifest: manifest, state: state, keys: keys, keyring: reader.keyring, unfinished: unfinished)
    }
}
