/// Keeps bytes under ordered keys, in tables, durably.
///
/// A store never sees plaintext and knows nothing of what it holds. Transactions are closures: what is
/// lent to one is valid only until it returns, and it never awaits.
///
/// LMDB and memory are two implementations of one conformance suite (`Tests/VaultStoreTests`).
public protocol Store: AnyObject, Sendable {
    /// Runs `body` on one consistent snapshot.
    ///
    /// Cheap (microseconds when the pages are in memory) and synchronous: call it where you are. A snapshot
    /// keeps every page it may still see from being used again, so a long walk is done in steps: stop the
    /// scan, return, and read again from the next key.
    ///
    /// - Throws: what `body` throws; ``VaultError`` `unavailable` when the store is closed or has no reader left.
    func read<R>(_ body: (any StoreReading) throws -> R) throws -> R

    /// Runs `body` in a write transaction and returns once what it wrote is durable.
    ///
    /// Many callers share one commit. `body` runs on the store's writer thread and may run more than
    /// once (when another caller's operation spoils the shared transaction), so it must have no
    /// effect but its writes. A `body` that throws leaves nothing behind and harms no other. What was
    /// accepted is done and answered even when the caller is cancelled meanwhile.
    ///
    /// - Throws: what `body` throws; ``VaultError`` `full` when there is no room (reads go on);
    ///   `unknown-outcome` when the disk failed, after which every write fails until the store is reopened.
    func write<R: Sendable>(_ body: @escaping @Sendable (any StoreWriting) throws -> R) async throws -> R

    /// The same without waiting for the disk: for filling a store that nobody depends on yet.
    ///
    /// What was loaded is durable after the next ``write(_:)`` that writes anything. If the power goes before
    /// that, the store is of no use: it may hold a part, or not open.
    func load<R: Sendable>(_ body: @escaping @Sendable (any StoreWriting) throws -> R) async throws -> R

    /// Sizes and counts, for metrics and `vault status`.
    func statistics() throws -> StoreStatistics

    /// Finishes the writes that were accepted, then lets go of the files. Calls after it throw `unavailable`.
    func close() async
}

extension Store {
    public func load<R: Sendable>(_ body: @escaping @Sendable (any StoreWriting) throws -> R) async throws -> R {
        try await write(body)
    }
}

/// What a read transaction lends.
public protocol StoreReading: AnyObject {
    /// Lends the value at `key` to `body`; false when there is none. What is lent is valid until `body` returns
    /// and until the transaction's next write.
    @discardableResult
    func lend(_ key: RawSpan, in table: Table, to body: (RawSpan) throws -> Void) throws -> Bool

    /// Walks keys from `key` (included, an empty key is the first) upwards in byte order until `body` says false.
    ///
    /// `body` must not write to the table it walks (`internal`): collect, then write.
    func scan(_ table: Table, from key: RawSpan, _ body: (_ key: RawSpan, _ value: RawSpan) throws -> Bool) throws

    /// How many keys the table has.
    func count(_ table: Table) throws -> Int
}

extension StoreReading {
    /// What `body` makes of the value at `key`, which it is lent; nil when there is none.
    public func get<R>(_ key: RawSpan, in table: Table, _ body: (RawSpan) throws -> R) throws -> R? {
        var result: R?
        try lend(key, in: table) { result = try body($0) }
        return result
    }
}

/// What an operation is for, which says how much of the quota its puts may fill.
public enum StoreRoom: Sendable {
    /// Brings something new: up to 95 percent, so that there is always room for what follows.
    case growing
    /// Keeps what is there up to date and must not be lost: up to the whole quota.
    case saving
    /// Makes room, or leaves as much as there was: never refused for the quota's sake.
    case shrinking
}

/// What a write transaction lends: it reads its own writes.
public protocol StoreWriting: StoreReading {
    /// How much of the quota the puts from here on may fill; every operation begins as `growing`.
    var room: StoreRoom { get set }

    /// Sets the value at `key`. Keys are 1 to 511 bytes, values at most 16 KiB.
    ///
    /// - Throws: ``VaultError`` `bad-request` for a key or value over these limits; `full` when what it adds to the
    ///   value that was there before is more than ``room`` leaves.
    func put(_ value: RawSpan, for key: RawSpan, in table: Table) throws

    /// The same, for keys that come in their order: a table filled so takes less room.
    func append(_ value: RawSpan, for key: RawSpan, in table: Table) throws

    /// Removes `key`; false when it was not there.
    @discardableResult
    func delete(_ key: RawSpan, in table: Table) throws -> Bool
}

extension StoreWriting {
    public func append(_ value: RawSpan, for key: RawSpan, in table: Table) throws {
        try put(value, for: key, in: table)
    }
}

/// The tables of a vault; `Documentation.docc/Format` says what each holds.
public enum Table: String, CaseIterable, Sendable {
    /// `userId 0x00 platform#name` → sealed connection.
    case records
    /// Big-endian lifetime end ‖ record key → version.
    case expiry
    /// What schedulers look at and when: big-endian time ‖ record key, or a mark and a key → version.
    case due
    /// `platform#name 0x00 subject` → userId.
    case identities
    /// Session id hash → sealed session.
    case sessions
    /// Login state hash → sealed pending or finished login.
    case logins
    /// Record key → the refresh that was begun and not yet finished.
    case journal
    /// The wrapped keyring.
    case keyring
    /// Format, vault id, sequence, counts, set hash.
    case state
    /// Sequence → what was done, by whom.
    case audit
    /// Big-endian sequence → which value was written or removed then, and the header and tag of the one before.
    case changes
    /// Big-endian number → sealed event, until it was told and a while longer.
    case events
    /// Service key's id → sealed service key.
    case services
    /// Provider account → sealed tokens that are still to be revoked.
    case revocations
}

/// Sizes and counts of a store.
public struct StoreStatistics: Sendable {
    /// Keys per table.
    public var counts: [Table: Int]
    /// Bytes in use by live pages, where the store knows.
    public var usedBytes: Int
    /// Bytes of the file on disk; 0 for memory.
    public var fileBytes: Int
    /// The logical limit, in bytes.
    public var quotaBytes: Int
    /// How many transactions were committed since the store was opened.
    public var commits: Int
    /// How many operations those commits carried.
    public var operations: Int
    /// How long the last commit took to be durable, where the store knows.
    public var lastCommit: Duration?
    /// Writes that were accepted and are not yet answered.
    public var waiting = 0

    public init(counts: [Table: Int], usedBytes: Int, fileBytes: Int, quotaBytes: Int, commits: Int, operations: Int) {
        self.counts = counts
        self.usedBytes = usedBytes
        self.fileBytes = fileBytes
        self.quotaBytes = quotaBytes
        self.commits = commits
        self.operations = operations
    }
}
