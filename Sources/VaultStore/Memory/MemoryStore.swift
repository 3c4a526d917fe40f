import Synchronization
import VaultBase

/// A store that forgets: for tests and `vault serve` trials.
public final class MemoryStore: Store {
    private let quota: Int
    private let current = Mutex(Contents())
    /// Held while a write runs, so that `current` can be read meanwhile.
    private let writer = Mutex(())

    /// - Parameter quota: the most bytes of keys and values; what is new is refused at 95 percent of it.
    public init(quota: Int = 1 << 30) { self.quota = quota }

    public func read<R>(_ body: (any StoreReading) throws -> R) throws -> R {
        let transaction = MemoryTransaction(try snapshot(), quota: quota)
        defer { transaction.isOver = true }
        return try body(transaction)
    }

    public func write<R: Sendable>(_ body: @escaping @Sendable (any StoreWriting) throws -> R) async throws -> R {
        try commit(body)
    }

    public func statistics() throws -> StoreStatistics {
        let contents = try snapshot()
        let counts = Table.allCases.map { ($0, contents.tables[$0.index].count) }
        return StoreStatistics(
            counts: Dictionary(uniqueKeysWithValues: counts), usedBytes: contents.bytes, fileBytes: 0,
            quotaBytes: quota, commits: contents.commits, operations: contents.operations)
    }

    public func close() async {
        current.withLock { $0.isClosed = true }
    }

    private func snapshot() throws -> Contents {
        let contents = current.withLock { $0 }
        guard !contents.isClosed else { throw Limits.closed }
        return contents
    }

    private func commit<R: Sendable>(_ body: @Sendable (any StoreWriting) throws -> R) throws -> R {
        try writer.withLock { _ in
            let transaction = MemoryTransaction(try snapshot(), quota: quota)
            defer { transaction.isOver = true }
            let result = try body(transaction)
            var contents = transaction.contents
            contents.operations += 1
            contents.commits += transaction.hasWritten ? 1 : 0
            let committed = contents
            try current.withLock { current in
                guard !current.isClosed else { throw Limits.closed }
                current = committed
            }
            return result
        }
    }
}

/// Everything a memory store holds; a copy costs next to nothing.
private struct Contents: Sendable {
    var tables = [SortedMap](repeating: SortedMap(), count: Table.allCases.count)
    var bytes = 0
    var commits = 0
    var operations = 0
    var isClosed = false
}

private final class MemoryTransaction: StoreWriting {
    var contents: Contents
    var isOver = false
    var hasWritten = false
    var room = StoreRoom.growing
    private let quota: Int
    private var walks = [Int](repeating: 0, count: Table.allCases.count)

    init(_ contents: Contents, quota: Int) {
        self.contents = contents
        self.quota = quota
    }

    func lend(_ key: RawSpan, in table: Table, to body: (RawSpan) throws -> Void) throws -> Bool {
        guard !isOver else { throw Limits.ended }
        guard let value = contents.tables[table.index][bytes(key)] else { return false }
        try body(value.span.bytes)
        return true
    }

    func scan(_ table: Table, from key: RawSpan, _ body: (_ key: RawSpan, _ value: RawSpan) throws -> Bool) throws {
        guard !isOver else { throw Limits.ended }
        walks[table.index] += 1
        defer { walks[table.index] -= 1 }
        try contents.tables[table.index].scan(from: bytes(key)) { try body($0.span.bytes, $1.span.bytes) }
    }

    func count(_ table: Table) throws -> Int {
        guard !isOver else { throw Limits.ended }
        return contents.tables[table.index].count
    }

    func put(_ value: RawSpan, for key: RawSpan, in table: Table) throws {
        guard !isOver else { throw Limits.ended }
        try Limits.check(key: key.byteCount, value: value.byteCount, in: table)
        guard walks[table.index] == 0 else { throw Limits.walked(table) }
        let key = bytes(key)
        let old = contents.tables[table.index][key].map { $0.count + key.count } ?? 0
        let size = contents.bytes - old + key.count + value.byteCount
        if size > contents.bytes, let limit = Limits.room(room, of: quota), size > limit {
            throw Limits.quotaReached(room, quota)
        }
        contents.tables[table.index].set(bytes(value), for: key)
        contents.bytes = size
        hasWritten = true
    }

    @discardableResult
    func delete(_ key: RawSpan, in table: Table) throws -> Bool {
        guard !isOver else { throw Limits.ended }
        guard walks[table.index] == 0 else { throw Limits.walked(table) }
        let key = bytes(key)
        guard let value = contents.tables[table.index][key] else { return false }
        contents.tables[table.index].remove(key)
        contents.bytes -= key.count + value.count
        hasWritten = true
        return true
    }

    private func bytes(_ span: RawSpan) -> [UInt8] { span.withUnsafeBytes { [UInt8]($0) } }
}
