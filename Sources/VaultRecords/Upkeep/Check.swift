import VaultBase
import VaultCrypto
import VaultStore

/// What a look at every value of a vault found.
public struct CheckReport: Sendable {
    /// Something that is not as it must be.
    public struct Problem: Sendable, Equatable {
        public var kind: Kind
        /// Whose connection it is about, where it is about one.
        public var name: ConnectionName?
        /// What is wrong, in a line.
        public var message: String

        public enum Kind: String, Sendable {
            /// A value does not open: it was changed, moved, or is of another vault.
            case damaged
            /// All values open, but they are not the ones that were written: some were dropped, doubled or put back.
            case contents
            /// An index does not say what its records say.
            case index
            /// Part of the file cannot be read at all; what lies behind it in its table was not looked at.
            case page
        }
    }

    public var status: VaultStatus
    /// In the order of tables and keys.
    public var problems: [Problem]
    public var isSound: Bool { problems.isEmpty }
}

extension Records {
    /// Opens every value, counts the tables anew, compares with the state, and looks at every index entry.
    ///
    /// One snapshot, so the store keeps what is freed meanwhile: about 3 seconds for a million records. A
    /// damaged page can end the process: look at a file that nobody vouches for from a child, through an
    /// `LMDBSnapshot`.
    ///
    /// - Parameters:
    ///   - place: where the walk is, for whoever has to say where it ended.
    ///   - found: told of each problem at once.
    ///   - progress: told how many of how many values were looked at.
    /// - Throws: `damaged` when the state itself cannot be read; what is wrong with a value is reported, not thrown.
    public func verify(
        place: CheckPlace? = nil, found: @escaping (CheckReport.Problem) -> Void = { _ in },
        progress: (_ done: Int, _ total: Int) -> Void = { _, _ in }
    ) throws -> CheckReport {
        try read { records in
            var check = Check(records: records, state: try VaultState.load(records.transaction, records.keys))
            check.place = place
            check.found = found
            try check.run(progress)
            var status = VaultStatus(check.state, records.keys)
            status.clockLead = clockLead
            return CheckReport(status: status, problems: check.problems)
        }
    }
}

private struct Check {
    let records: RecordsView
    let state: VaultState
    var problems: [CheckReport.Problem] = []
    var place: CheckPlace?
    var found: (CheckReport.Problem) -> Void = { _ in }
    private var done = 0
    private var expiring = 0
    private var due = 0
    private var sessions = 0

    init(records: RecordsView, state: VaultState) {
        self.records = records
        self.state = state
    }

    mutating func run(_ progress: (Int, Int) -> Void) throws {
        let total = Int(clamping: state.tables.reduce(0) { $0 &+ $1.count })
        var tally = Tally()
        var unread: Set<SealedTable> = []
        for table in SealedTable.allCases where try !walk(table, &tally, total, progress) { unread.insert(table) }
        progress(done, total)
        for table in SealedTable.allCases where tally[table] != state[table] && !unread.contains(table) {
            let (found, written) = (tally[table].count, state[table].count)
            report(
                .contents, nil,
                found == written
                    ? "\(table.table.rawValue): \(found) values, not the \(written) that were written last"
                    : "\(table.table.rawValue): \(found) values, \(written) were written")
        }
        // Every count below was taken on the walk.
        guard unread.isEmpty else { return }
        if problems.isEmpty, !tally.matches(state) { report(.contents, nil, "the terms are not those counted") }
        try compare(.expiry, expiring)
        try compare(.due, due)
        let entries = try records.transaction.count(.sessions) - Int(clamping: tally[.sessions].count)
        if entries != sessions { report(.index, nil, "sessions: \(entries) index entries for \(sessions) sessions") }
    }

    /// Looks at a whole table; false when part of it cannot be read.
    private mutating func walk(
        _ table: SealedTable, _ tally: inout Tally, _ total: Int, _ progress: (Int, Int) -> Void
    ) throws -> Bool {
        var last: [UInt8] = []
        var isOrdered = true
        place?.note(table.table, UnsafeRawBufferPointer(start: nil, count: 0))
        do {
            try tally.add(table, of: records.transaction, records.keys) { key, value in
                place?.note(table.table, key)
                // Also what ends a walk in a circle: a page that stands in another's place repeats its keys.
                guard last.isEmpty || last.lexicographicallyPrecedes(key) else {
                    isOrdered = false
                    return false
                }
                last.removeAll(keepingCapacity: true)
                last.append(contentsOf: key)
                do {
                    try look(table, key, value)
                } catch let error as VaultError {
                    let name = table == .records || table == .journal ? Key.names(key) : nil
                    report(.damaged, name, "\(table.table.rawValue): \(error.message)")
                }
                done += 1
                if done % 1024 == 0 { progress(done, total) }
                return true
            }
        } catch let error as VaultError {
            report(.page, lastName(table, last), "\(table.table.rawValue): \(error.message)")
            return false
        }
        if !isOrdered {
            report(.page, lastName(table, last), "\(table.table.rawValue): the keys are out of order after this one")
        }
        return isOrdered
    }

    private func lastName(_ table: SealedTable, _ key: [UInt8]) -> ConnectionName? {
        table == .records || table == .journal ? key.withUnsafeBytes { Key.names($0) } : nil
    }

    private mutating func compare(_ table: Table, _ expected: Int) throws {
        let found = try records.transaction.count(table)
        if found != expected { report(.index, nil, "\(table.rawValue): \(found) entries, \(expected) are right") }
    }

    private mutating func report(_ kind: CheckReport.Problem.Kind, _ name: ConnectionName?, _ message: String) {
        let problem = CheckReport.Problem(kind: kind, name: name, message: message)
        problems.append(problem)
        found(problem)
    }

    private mutating func look(
        _ table: SealedTable, _ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer
    ) throws {
        let opened = try SealedValue(table, key, value, records.keys)
        if opened.header.version > state.sequence {
            report(.contents, Key.names(key), "\(table.table.rawValue): written after the last write")
        }
        let bytes = Array(key)
        if opened.header.endsAt != 0 {
            let entry = Key.timed(opened.header.endsAt, table.mark, bytes)
            if try see(.expiry, entry, opened.header.version, Key.names(key)) { expiring += 1 }
        }
        for entry in opened.agenda(bytes) where try see(.due, entry, opened.header.version, Key.names(key)) {
            due += 1
        }
        switch opened.content {
        case .session(let session):
            let entry = Key.session(bytes, of: session.user, records.keys)
            if try see(.sessions, entry, opened.header.version, nil) { sessions += 1 }
        case .identity(let owner, let platform, let subject):
            guard try records.subject(of: owner, at: platform) == subject else {
                report(.index, nil, "identities: an account at \(platform) has no way back from \(owner)")
                return
            }
        case .wayBack(let owner, let platform, let subject):
            guard try records.user(of: subject, at: platform) == owner else {
                report(.index, nil, "identities: the way back from \(owner) at \(platform) leads nowhere")
                return
            }
        case .connection, .login, .redemption, .event, .service, .revocation: break
        }
    }

    /// Looks for the index entry that must be there.
    private mutating func see(
        _ table: Table, _ entry: [UInt8], _ version: UInt64, _ name: ConnectionName?
    ) throws -> Bool {
        let found = try records.transaction.get(entry.span.bytes, in: table) { IndexEntry.version($0) }
        if found != version {
            report(.index, name, "\(table.rawValue): an entry is missing or of another version")
        }
        return found == version
    }
}
