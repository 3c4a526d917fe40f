import Glibc
import VaultBase
import VaultCrypto
import VaultStore

/// Copies a vault into a backup in short reads, and makes it the vault of one moment.
///
/// No read lasts longer than it takes to copy a slice into memory, however slowly the file is written, so the
/// store can use freed pages again meanwhile. What changed behind the copy is taken from the change log
/// until a read finds nothing new: that read's state is the backup's. The set hash of what was written is
/// counted on the way and must be that state's.
final class BackupCopy {
    private let records: Records
    private var writer: BackupWriter
    private let since: ChainPoint?
    private let progress: (Int, Int) throws -> Void
    private var contents = ChainContents()
    private var keys: VaultKeys
    private var keyring: [UInt8]
    private var slices: [Slice] = []
    /// The sequence at which what was written last under a key was read, for keys that changed behind the copy.
    private var written: [Place: UInt64] = [:]
    private(set) var entries = 0

    private struct Slice {
        /// The first place after it.
        var limit: Place
        var sequence: UInt64
    }

    /// A key of a table.
    struct Place: Hashable, Comparable {
        var table: UInt8
        var key: [UInt8]

        static func < (a: Self, b: Self) -> Bool {
            a.table < b.table || a.table == b.table && a.key.lexicographicallyPrecedes(b.key)
        }
    }

    /// How a copy ended.
    struct End {
        var state: VaultState
        var point: ChainPoint
        var entries: Int
        var hash: [UInt8]
    }

    /// What one read brought.
    private struct Batch {
        var bytes: [UInt8] = []
        var entries = 0
        var contents: ChainContents
        var keyring: (wrapped: [UInt8], keys: VaultKeys)?
        var sequence: UInt64 = 0
        /// Where the next slice begins; nil after a table's last.
        var next: [UInt8]?
        var state: VaultState?
    }

    /// Bytes of a slice: some milliseconds of reading.
    private static let sliceBytes = 1 << 20
    /// Lines of the change log in one read.
    private static let lines = 512

    init(
        _ records: Records, since: ChainPoint?, _ writer: consuming BackupWriter, keyring: [UInt8], _ keys: VaultKeys,
        _ progress: @escaping (Int, Int) throws -> Void
    ) throws(VaultError) {
        self.records = records
        self.since = since
        self.progress = progress
        self.keyring = keyring
        self.keys = keys
        self.writer = writer
        try self.writer.keyring(keyring, keys.keyring)
    }

    /// - Throws: `damaged` when the vault does not hold what it says; `conflict` when the change log does not
    ///   reach back to where an increment begins; `unavailable` when the vault changes faster than it is copied.
    func run(total: Int) throws -> End {
        var start = since?.sequence
        if since == nil {
            for table in [SealedTable.records, .identities] {
                var from: [UInt8]? = []
                while let key = from {
                    let slice = try batch { try readSlice(table, from: key, $0, &$1) }
                    if start == nil { start = slice.sequence }
                    // All places before the next slice's were read at this moment, also those with nothing in them.
                    let limit =
                        slice.next.map { Place(table: table.rawValue, key: $0) }
                        ?? Place(table: table.rawValue + 1, key: [])
                    slices.append(Slice(limit: limit, sequence: slice.sequence))
                    from = slice.next
                    try progress(max(0, min(entries, total - 1)), 2 * total)
                }
            }
        }
        var next = start ?? 0
        while true {
            let changes = try batch { try readChanges(after: next, $0, &$1) }
            next = changes.sequence
            // Half of it is done only when the file is flushed.
            try progress(max(0, total - 1), 2 * total)
            if let state = changes.state { return try finish(state) }
        }
    }

    private func finish(_ state: VaultState) throws -> End {
        let begin = ChainContents(state) - contents
        if let since {
            guard state.sequence >= since.sequence, ChainPoint(since.sequence, begin, keys) == since else {
                throw Self.gap(since)
            }
        } else if begin != ChainContents() {
            throw VaultError(
                .damaged, "the vault does not hold what was written to it", hint: "look at it with: vault check")
        }
        return End(
            state: state, point: ChainPoint(state, keys), entries: entries, hash: try writer.finish(entries: entries))
    }

    private static func gap(_ since: ChainPoint) -> VaultError {
        VaultError(
            .conflict, "the change log does not lead back to the backup that ended at \(since.words)",
            hint: "write a full backup: vault backup FILE")
    }

    /// Reads a batch and writes it once the read is over.
    private func batch(
        _ read: (any StoreReading, inout Batch) throws -> Void
    ) throws -> Batch {
        let (records, known, before) = (records, keyring, keys)
        let contents = contents
        for _ in 0..<1000 {
            let found = try records.store.read { transaction -> Batch? in
                var batch = Batch(contents: contents)
                let wrapped = try Records.wrappedKeyring(transaction)
                if wrapped != known {
                    let now = records.keys
                    // A change of the keyring is in the store a moment before it is in memory.
                    guard try now.keyring.generation == Keyring.generation(of: wrapped) else { return nil }
                    batch.keyring = (wrapped, now.reading(before))
                }
                try read(transaction, &batch)
                return batch
            }
            guard let found else {
                usleep(1000)
                continue
            }
            if let (wrapped, new) = found.keyring {
                try writer.keyring(wrapped, new.keyring)
                (keyring, keys) = (wrapped, new)
            }
            try writer.append(found.bytes)
            self.contents = found.contents
            entries += found.entries
            return found
        }
        throw VaultError(.unavailable, "the keys of the vault are being changed", hint: "try again when that is done")
    }

    private func readSlice(
        _ table: SealedTable, from: [UInt8], _ transaction: any StoreReading, _ batch: inout Batch
    ) throws {
        let keys = keys
        batch.sequence = try VaultState.load(transaction, keys).sequence
        batch.bytes.reserveCapacity(Self.sliceBytes + (32 << 10))
        try transaction.scan(table.table, from: from.span.bytes) { key, value in
            key.withUnsafeBytes { key in
                guard batch.bytes.count < Self.sliceBytes else {
                    batch.next = Array(key)
                    return false
                }
                value.withUnsafeBytes { value in
                    if let stamp = Stamp(value) { batch.contents.add(stamp, to: table, under: key, keys) }
                    BackupContent.append(table, key, value: value, to: &batch.bytes)
                }
                batch.entries += 1
                return true
            }
        }
    }

    /// Takes the next lines of the change log; at its end also the state and the tables that go whole.
    private func readChanges(
        after sequence: UInt64, _ transaction: any StoreReading, _ batch: inout Batch
    ) throws {
        let state = try VaultState.load(transaction, keys)
        guard try ChangeLog.trimmed(transaction) <= sequence else {
            if let since, sequence == since.sequence { throw Self.gap(since) }
            throw VaultError(
                .unavailable, "the change log was cut behind the backup: too much changes, or there is no room",
                hint: "write it to a faster disk or when there is less to do; in a full store, make room first")
        }
        var changed: [Place: Stamp?] = [:]
        var count = 0
        batch.sequence = state.sequence
        try ChangeLog.scan(after: sequence, transaction) { line in
            guard count < Self.lines else { return false }
            count += 1
            let place = Place(table: line.table.rawValue, key: line.key)
            if line.sequence > moment(of: place), changed[place] == nil { changed[place] = .some(line.old) }
            batch.sequence = line.sequence
            return true
        }
        for (place, old) in changed.sorted(by: { $0.key < $1.key }) {
            guard let table = SealedTable(rawValue: place.table) else { continue }
            let value = try Records.bytes(place.key, in: table.table, transaction)
            written[place] = state.sequence
            guard old != nil || value != nil else { continue }
            place.key.withUnsafeBytes { key in
                if let old { batch.contents.remove(old, from: table, under: key, keys) }
                if let stamp = value.flatMap({ $0.withUnsafeBytes { Stamp($0) } }) {
                    batch.contents.add(stamp, to: table, under: key, keys)
                }
            }
            BackupContent.append(table, place.key, from: old, to: value, to: &batch.bytes)
            batch.entries += 1
        }
        guard count < Self.lines else { return }
        try readEnd(state, transaction, &batch)
    }

    private func readEnd(_ state: VaultState, _ transaction: any StoreReading, _ batch: inout Batch) throws {
        guard let bytes = try Records.bytes(VaultState.key, in: .state, transaction) else { throw VaultState.damaged }
        batch.bytes.append(BackupContent.state)
        batch.bytes.append(u16: UInt16(bytes.count))
        batch.bytes += bytes
        var tally = Tally()
        for table in BackupContent.whole {
            try tally.add(table, of: transaction, keys) { key, value in
                BackupContent.append(table, key, value: value, to: &batch.bytes)
                batch.entries += 1
                return true
            }
            guard tally[table] == state[table] else {
                throw VaultError(
                    .damaged, "\(table.table.rawValue): the vault does not hold what was written to it",
                    hint: "look at it with: vault check")
            }
        }
        batch.state = state
    }

    /// When what the backup has under a key was read.
    private func moment(of place: Place) -> UInt64 {
        if let sequence = written[place] { return sequence }
        var (low, high) = (0, slices.count)
        while low < high {
            let middle = (low + high) / 2
            if place < slices[middle].limit { high = middle } else { low = middle + 1 }
        }
        return low < slices.count ? slices[low].sequence : since?.sequence ?? 0
    }
}
