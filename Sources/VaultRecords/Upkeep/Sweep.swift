import VaultBase
import VaultStore

/// What a sweep removed (or, in a dry run, would remove).
public struct SweepResult: Sendable, Equatable {
    public var connections: [ConnectionName]
    public var sessions: Int
    public var logins: Int
    /// Events, service keys and revocations.
    public var others = 0
    /// Where to go on, when a limit stopped it before it was done.
    public var next: SweepPlace?

    public init(
        connections: [ConnectionName], sessions: Int, logins: Int, others: Int = 0, next: SweepPlace? = nil
    ) {
        self.connections = connections
        self.sessions = sessions
        self.logins = logins
        self.others = others
        self.next = next
    }
}

/// A place in the time index.
public struct SweepPlace: Sendable, Equatable {
    fileprivate var key: [UInt8]
}

extension Records {
    /// Removes what ended: records (only those whose version is still the one the index names), sessions, logins, and
    /// what else has an end.
    ///
    /// Sessions and logins go at once, for nobody brings them back. The others go once they ended longer than `grace`
    /// ago by the vault's clock and by the wall clock: one of them may have been wrong. A record that does not open
    /// stays for whoever looks at the damage.
    ///
    /// Walks the time index, so it costs what it removes and what is in its grace. `limit` counts all kinds; each call
    /// is one transaction, so keep it to a few hundred while users write. Index entries that name nothing any more are
    /// dropped on the way and do not count.
    ///
    /// - Parameter place: where the call before ended, to go on behind what that left.
    public func sweep(
        grace: Duration, limit: Int, dryRun: Bool, from place: SweepPlace? = nil
    ) async throws -> SweepResult {
        if dryRun { return try read { try $0.ended(grace, limit, from: place).result } }
        return try await write { records in
            let ended = try records.ended(grace, limit, from: place)
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

    /// How many index entries one transaction looks at.
    static let lookLimit = 4096

    var entries: [Entry] = []
    var stale: [[UInt8]] = []
    var next: SweepPlace?

    var result: SweepResult {
        SweepResult(
            connections: entries.compactMap(\.name), sessions: entries.count { $0.table == .sessions },
            logins: entries.count { $0.table == .logins },
            others: entries.count { ![.records, .sessions, .logins].contains($0.table) }, next: next)
    }
}

extension SealedTable {
    /// Whether what has ended is worth nothing to anybody, whichever clock said so.
    fileprivate var isSweptAtOnce: Bool { self == .sessions || self == .logins }
}

extension RecordsView {
    fileprivate func ended(_ grace: Duration, _ limit: Int, from place: SweepPlace?) throws -> Ended {
        let settled = settled
        let until = (settled - max(.zero, grace)).rawValue
        var ended = Ended()
        var candidates: [(entry: [UInt8], version: UInt64)] = []
        var looked = 0
        let start = place?.key ?? []
        try transaction.scan(.expiry, from: start.span.bytes) { key, value in
            guard let time = IndexEntry.time(key), time <= now.rawValue else { return false }
            guard candidates.count < limit, looked < Ended.lookLimit else {
                ended.next = SweepPlace(key: key.withUnsafeBytes { Array($0) })
                return false
            }
            looked += 1
            guard time <= until || IndexEntry.table(key).isSweptAtOnce else { return true }
            candidates.append((key.withUnsafeBytes { Array($0) }, IndexEntry.version(value)))
            return true
        }
        for candidate in candidates {
            let (table, key) = IndexEntry.target(candidate.entry)
            let found = try transaction.get(key.span.bytes, in: table.table) { value in
                value.withUnsafeBytes { value in
                    key.withUnsafeBytes { key in
                        let opens = table != .records || (try? SealedValue(table, key, value, keys)) != nil
                        return (header: try? Envelope.header(of: value), opens: opens)
                    }
                }
            }
            // Not even its index entry is touched: its header may be what is damaged.
            if let found, !found.opens { continue }
            // A record that was written since has another version and an entry of its own.
            guard let header = found?.header, header.version == candidate.version,
                header.hasEnded(at: table.isSweptAtOnce ? now : settled)
            else {
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

    /// Whose table an entry of the expiry index names something in.
    static func table(_ key: RawSpan) -> SealedTable { key.withUnsafeBytes { table(of: $0[8]) } }

    private static func table(of mark: UInt8) -> SealedTable {
        SealedTable.allCases.first { $0.mark == mark } ?? .records
    }

    /// What an entry of the expiry index names.
    static func target(_ key: [UInt8]) -> (SealedTable, [UInt8]) {
        let table = table(of: key[8])
        return (table, Array(key[(table == .records ? 8 : 9)...]))
    }
}
