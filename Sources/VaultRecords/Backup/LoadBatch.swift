import VaultBase
import VaultCrypto

/// Entries of a verified backup, opened and ready to be put into a store.
struct LoadBatch: Sendable {
    struct Entry: Sendable {
        let table: SealedTable
        let key: [UInt8]
        /// nil where it is removed.
        let value: [UInt8]?
        /// Whether something may stand there already.
        let isChange: Bool
        var endsAt: Int64 = 0
        var version: UInt64 = 0
        var agenda: [[UInt8]] = []
        /// What takes the value's place where its refresh token may be spent.
        var uncertain: Connection?
    }

    fileprivate(set) var entries: [Entry] = []
    /// How many were read for it, with those that are not loaded.
    fileprivate(set) var count = 0
}

/// Reads the entries of one file in batches, each on a thread of its own.
final class LoadBatches: @unchecked Sendable {
    // Sendable: one batch at a time is asked for, by one task.
    private var reader: BackupReader
    private let keys: VaultKeys
    private let isLast: Bool
    private let isUncertain: @Sendable (ConnectionName) -> Bool

    private static let limit = (entries: 1000, bytes: 4 << 20)

    /// - Parameters:
    ///   - isLast: whether no file follows this one.
    ///   - isUncertain: whether the connection's refresh token may have been spent since.
    init(
        _ reader: consuming BackupReader, _ keys: VaultKeys, isLast: Bool,
        isUncertain: @escaping @Sendable (ConnectionName) -> Bool
    ) {
        self.reader = reader
        self.keys = keys
        self.isLast = isLast
        self.isUncertain = isUncertain
    }

    /// The next entries; nil after the last.
    func next() async throws -> LoadBatch? {
        try await Blocking.run { [self] in try read() }
    }

    private func read() throws -> LoadBatch? {
        var batch = LoadBatch()
        var bytes = 0
        while batch.count < Self.limit.entries, bytes < Self.limit.bytes, let item = try reader.next() {
            switch item {
            case .keyring, .state: continue
            case .value(let table, let key, let value):
                batch.count += 1
                // An unfinished refresh is told by its connection's health from here on. Of what every file has
                // whole, the last one's counts.
                guard table != .journal, isLast || !BackupContent.whole.contains(table) else { continue }
                batch.entries.append(try entry(table, key, value, isChange: false))
                bytes += key.count + value.count
            case .change(let table, let key, _, let value):
                batch.count += 1
                batch.entries.append(try entry(table, key, value, isChange: true))
                bytes += key.count + (value?.count ?? 0)
            }
        }
        return batch.count == 0 ? nil : batch
    }

    private func entry(
        _ table: SealedTable, _ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer?, isChange: Bool
    ) throws -> LoadBatch.Entry {
        let name = Array(key)
        var entry = LoadBatch.Entry(table: table, key: name, value: value.map(Array.init), isChange: isChange)
        guard let value else { return entry }
        if table == .records, let connection = Key.names(key), !isUncertain(connection) {
            // Most stay as they are, and were read whole when the backup was verified: their tokens are passed over.
            let header = try Envelope.header(of: value)
            entry.endsAt = header.endsAt
            entry.version = header.version
            entry.agenda = try Envelope.open(value, header: header, under: key, of: table, keys: keys) { payload in
                try Connection.agenda(payload).map { $0.key($1, name) }
            }
            return entry
        }
        let opened = try SealedValue(naming: table, key, value, keys)
        entry.endsAt = opened.header.endsAt
        entry.version = opened.header.version
        entry.agenda = opened.agenda(name)
        if case .connection(var connection) = opened.content, connection.mayBeSpent {
            connection.health = .uncertain
            entry.uncertain = connection
        }
        return entry
    }
}
