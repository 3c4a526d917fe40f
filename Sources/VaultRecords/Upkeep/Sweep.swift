import VaultBase
import VaultStore

/// What a sweep removed (or, in a dry run, would remove).
public struct SweepResult: Sendable, Equatable {
    public var connections: [ConnectionName]
    public var sessions: Int
    public var logins: Int
    /// Events, service keys and revocations.
    public var others = 0
    /// Whether `limit` stopped it before it was done.
    public var more: Bool

    public init(connections: [ConnectionName], sessions: Int, logins: Int, others: Int = 0, more: Bool) {
        self.connections = connections
        self.sessions = sessions
        self.logins = logins
        self.others = others
        self.more = more
    }
}

extension Records {
    /// Removes what ended longer than `grace` ago: records (only those whose version is still the one
    /// the index names), sessions, logins, and what else has an end.
    ///
    /// Walks the time index from its beginning, so it costs what it removes. `limit` counts all
    /// kinds; each call is one transaction, so keep it to a few hundred while users write. Index entries
    /// that name nothing any more are dropped on the way and do not count.
    public func sweep(grace: Duration, limit: Int, dryRun: Bool) async throws -> SweepResult {
        if dryRun { return try read { try $0.ended(grace, limit).result } }
        return try await write { records in
            let ended = try records.ended(grace, limit)
            for entry in ended.entries { try records.sweep(entry) }
            for key in ended.stale { try records.change { try records.unindex(.expiry, key) } }
            return ended.result
        }
    }
}

private struct Ended {
    struct Entry {
        var table: SealedTable
        var key: [UInt8]
        var name: ConnectionName?
    }

    var entries: [Entry] = []
    var stale: [[UInt8]] = []
    var more = false

    var result: SweepResult {
        SweepResult(
            connections: entries.compactMap(\.name), sessions: entries.count { $0.table == .sessions },
            logins: entries.count { $0.table == .logins },
            others: entries.count { ![.records, .sessions, .logins].contains($0.table) }, more: more)
    }
}

extension RecordsView {
    fileprivate func ended(_ grace: Duration, _ limit: Int) throws -> Ended {
        let until = (now - max(.zero, grace)).rawValue
        var ended = Ended()
        var candidates: [(entry: [UInt8], version: UInt64)] = []
        // Entries that turn out stale do not count, so a few more are looked at than are asked for.
        try transaction.scan(.expiry, from: RawSpan()) { key, value in
            guard let time = IndexEntry.time(key), time <= until else { return false }
            guard candidates.count < limit else {
                ended.more = true
                return false
            }
            candidates.append((key.withUnsafeBytes { Array($0) }, IndexEntry.version(value)))
            return true
        }
        for candidate in candidates {
            let (table, key) = IndexEntry.target(candidate.entry)
            let header = try transaction.get(key.span.bytes, in: table.table) { value in
                value.withUnsafeBytes { try? Envelope.header(of: $0) }
            }
            // A record that was written since has another version and an entry of its own.
            guard let header = header ?? nil, header.version == candidate.version, header.hasEnded(at: now) else {
                ended.stale.append(candidate.entry)
                continue
            }
            let name = table == .records ? key.withUnsafeBytes { Key.names($0) } : nil
            ended.entries.append(Ended.Entry(table: table, key: key, name: name))
        }
        return ended
    }
}

extension RecordsTransaction {
    fileprivate func sweep(_ entry: Ended.Entry) throws {
        switch entry.table {
        case .records:
            if let name = entry.name { try removeEnded(name, entry.key) }
        case .sessions:
            guard let old = try stamp(.sessions, entry.key) else { return }
            let user = try owner(entry.key)
            try change { try removeSession(entry.key, of: user, old) }
        case .logins:
            guard let old = try stamp(.logins, entry.key) else { return }
            try change { try removeLogin(entry.key, old) }
        case .events, .services, .revocations: try remove(entry.table, entry.key)
        case .identities, .journal: break
        }
    }
}

/// What the entries of the time indexes say.
enum IndexEntry {
    /// The time at the front of an index key, in ms.
    static func time(_ key: RawSpan) -> Int64? {
        key.withUnsafeBytes { key in
            guard key.count > 8 else { return nil }
            return Int64(clamping: UInt64(bigEndian: key.loadUnaligned(as: UInt64.self)))
        }
    }

    static func version(_ value: RawSpan) -> UInt64 {
        value.withUnsafeBytes { $0.count == 8 ? UInt64(littleEndian: $0.loadUnaligned(as: UInt64.self)) : 0 }
    }

    /// What an entry of the expiry index names.
    static func target(_ key: [UInt8]) -> (SealedTable, [UInt8]) {
        guard let table = SealedTable.allCases.first(where: { $0.mark == key[8] }) else {
            return (.records, Array(key[8...]))
        }
        return (table, Array(key[9...]))
    }
}
