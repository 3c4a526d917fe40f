import VaultBase
import VaultCrypto
import VaultStore

/// A transaction lent to ``Records/write(_:)``: reads its own writes.
public final class RecordsTransaction: RecordsView {
    // Every change goes through `replace` and `remove`, which keep the state's counts and set hashes, and
    // through `index`. `finish` writes the state once.
    private let writing: any StoreWriting
    private(set) var state: VaultState
    private var isDirty = false
    /// What broke a change halfway: from then on nothing of this transaction may be kept.
    private var failure: (any Error)?
    /// How many lines the change log keeps at least; nil to note no changes, as a restore does.
    var leastChanges: UInt64? = ChangeLog.least
    private var logged = 0

    init(
        keys: VaultKeys, now: Timestamp, clock: VaultClock? = nil, state: VaultState, transaction: any StoreWriting
    ) {
        writing = transaction
        self.state = state
        super.init(keys: keys, now: now, clock: clock, transaction: transaction)
    }

    /// Writes the state; returns its bytes, nil when nothing was changed.
    func finish() throws -> [UInt8]? {
        if let failure { throw failure }
        guard isDirty else { return nil }
        // What follows replaces itself, and makes room.
        writing.room = .shrinking
        if logged > 0, let leastChanges {
            try ChangeLog.trim(writing, to: max(leastChanges, state[.records].count), added: logged)
        }
        state.clock = now
        let bytes = state.encoded(keys)
        let key = VaultState.key
        try writing.put(bytes.span.bytes, for: key.span.bytes, in: .state)
        return bytes
    }

    /// Runs a change of several steps. If one fails, the whole transaction does, even when the caller
    /// goes on.
    func change<R>(_ body: () throws -> R) throws -> R {
        if let failure { throw failure }
        isDirty = true
        do {
            return try body()
        } catch {
            failure = error
            throw error
        }
    }

    /// Seals what `write` writes under `key`; returns the version.
    ///
    /// - Parameter old: the stamp of what stands there, which the caller has read.
    func replace(
        _ table: SealedTable, _ key: [UInt8], old: Stamp?, endsAt: Timestamp?, _ write: (inout FieldWriter) -> Void
    ) throws -> UInt64 {
        try withUnsafeTemporaryAllocation(byteCount: 2 << 14, alignment: 8) { scratch in
            let payload = UnsafeMutableRawBufferPointer(rebasing: scratch[..<(1 << 14)])
            var fields = FieldWriter(UnsafeMutableRawBufferPointer(rebasing: payload[..<Padding.limit]))
            write(&fields)
            let used = fields.bytes.count
            defer { wipe(UnsafeMutableRawBufferPointer(rebasing: payload[..<used])) }
            guard !fields.bytes.overflowed, let total = Padding.total(used, for: table) else {
                throw VaultError(.badRequest, "what should be kept is longer than \(Padding.limit) bytes")
            }
            let value = UnsafeMutableRawBufferPointer(rebasing: scratch[(1 << 14)...][..<((1 << 14) + total)])
            // 0 stands for "never", and there is nothing to keep from before 1970.
            let header = Header(
                term: keys.active, version: state.sequence + 1, endsAt: endsAt.map { max(1, $0.rawValue) } ?? 0)
            return try key.withUnsafeBytes { key in
                Envelope.seal(payload, count: used, header: header, under: key, of: table, keys: keys, into: value)
                try writing.put(UnsafeRawBufferPointer(value).bytes, for: key.bytes, in: table.table)
                if let old { state.remove(old, from: table, under: key, keys) }
                if let stamp = Stamp(UnsafeRawBufferPointer(value)) { state.add(stamp, to: table, under: key, keys) }
                state.sequence += 1
                try log(table, key, old: old)
                return header.version
            }
        }
    }

    /// Puts a value that is sealed already in the place of one that says the same.
    func exchange(_ table: SealedTable, _ key: [UInt8], old: Stamp, _ value: UnsafeRawBufferPointer) throws {
        try writing.put(value.bytes, for: key.span.bytes, in: table.table)
        state.sequence += 1
        try key.withUnsafeBytes { key in
            state.remove(old, from: table, under: key, keys)
            if let stamp = Stamp(value) { state.add(stamp, to: table, under: key, keys) }
            try log(table, key, old: old)
        }
    }

    /// Notes how far a rotation has come.
    func mark(_ mark: RotationMark) throws {
        try self.mark(RotationMark.storeKey, mark.encoded)
    }

    /// Writes a note that nothing depends on beside the state.
    func mark(_ key: [UInt8], _ value: [UInt8]) throws {
        try writing.put(value.span.bytes, for: key.span.bytes, in: .state)
    }

    func unmark(_ key: [UInt8]) throws { try writing.delete(key.span.bytes, in: .state) }

    /// Puts a value that is sealed already where nothing stands.
    func keep(_ table: SealedTable, _ key: [UInt8], _ value: [UInt8]) throws {
        try writing.append(value.span.bytes, for: key.span.bytes, in: table.table)
        value.withUnsafeBytes { value in
            guard let stamp = Stamp(value) else { return }
            key.withUnsafeBytes { state.add(stamp, to: table, under: $0, keys) }
        }
    }

    /// Removes the value under `key`.
    func remove(_ table: SealedTable, _ key: [UInt8], old: Stamp?) throws {
        try writing.delete(key.span.bytes, in: table.table)
        state.sequence += 1
        try key.withUnsafeBytes { key in
            if let old { state.remove(old, from: table, under: key, keys) }
            // A delete must work in a full store, and its line is shorter than what it removes.
            let room = writing.room
            writing.room = .shrinking
            defer { writing.room = room }
            try log(table, key, old: old)
        }
    }

    /// Notes a change for increments, at the sequence it has made.
    private func log(_ table: SealedTable, _ key: UnsafeRawBufferPointer, old: Stamp?) throws {
        guard leastChanges != nil, ChangeLog.tables.contains(table) else { return }
        try ChangeLog.append(table, key, old: old, at: state.sequence, to: writing)
        logged += 1
    }

    /// The stamp of what stands under `key`, whether or not it has ended or opens.
    func stamp(_ table: SealedTable, _ key: [UInt8]) throws -> (stamp: Stamp?, endsAt: Int64, version: UInt64)? {
        guard key.count <= Self.keyLimit else { return nil }
        return try transaction.get(key.span.bytes, in: table.table) { value in
            value.withUnsafeBytes { value in
                let header = try? Envelope.header(of: value)
                return (Stamp(value), header?.endsAt ?? 0, header?.version ?? 0)
            }
        }
    }

    /// Sets an index entry to `version`.
    func index(_ table: Table, _ key: [UInt8], _ version: UInt64) throws {
        try withUnsafeBytes(of: version.littleEndian) { try writing.put($0.bytes, for: key.span.bytes, in: table) }
    }

    func unindex(_ table: Table, _ key: [UInt8]) throws { try writing.delete(key.span.bytes, in: table) }

    /// Removes all entries of an index that name `key`, wherever in time: for records whose own word on it is lost.
    func unindex(_ table: Table, wherever key: [UInt8]) throws {
        var stale: [[UInt8]] = []
        try transaction.scan(table, from: RawSpan()) { entry, _ in
            entry.withUnsafeBytes { entry in
                // The agendas of `due` put a mark before the time.
                let lead = entry.first.map { $0 >= Agenda.firstMark } ?? false ? 9 : 8
                if entry.count == lead + key.count, entry.dropFirst(lead).elementsEqual(key) {
                    stale.append(Array(entry))
                }
            }
            return true
        }
        for entry in stale { try unindex(table, entry) }
    }

    /// Replaces the state by one counted anew.
    func setState(_ new: VaultState) {
        state = new
        isDirty = true
    }
}
