import CLMDB
import Glibc
import Synchronization
public import VaultBase

/// A store as it was at one moment, to look at: for a process that may die of what it finds.
///
/// LMDB has no checksums, so a damaged page can end whoever reads it with SIGSEGV, SIGBUS or SIGABRT. A
/// child process opens one of these beside the process that owns the store, and every read of it sees the
/// same moment. Until it is let go the owner's file keeps what it may still see.
public final class LMDBSnapshot: Store {
    private struct Transaction: @unchecked Sendable {
        // Sendable: MDB_NOTLS binds it to no thread, and the mutex lets in one at a time.
        var raw: OpaquePointer?
    }

    private let environment: Environment
    private let transaction: Mutex<Transaction>
    private let ownership: Ownership?

    /// - Parameter owned: whether a living parent owns the store. Otherwise this process must be able to own it.
    /// - Throws: `no-store`, `locked`, `damaged`, `newer-format`, `file`.
    public init(at path: String, owned: Bool) throws(VaultError) {
        let path = Files.trimmed(path)
        guard Files.status("\(path)/data.mdb") != nil else {
            guard errno == ENOENT || errno == ENOTDIR else { throw Fault.error(errno, "open \(path)") }
            throw VaultError(.noStore, "there is no store at \(path)", hint: "make one with: vault init")
        }
        ownership = owned ? nil : try Ownership(of: path)
        try Self.preflight("\(path)/data.mdb", owned: owned)
        environment = try Environment(path, options: LMDBStore.Options(), readOnly: true)
        var raw: OpaquePointer?
        let status = mdb_txn_begin(environment.raw, nil, UInt32(MDB_RDONLY), &raw)
        guard status == MDB_SUCCESS else {
            environment.close()
            throw Fault.error(status, "read the store")
        }
        transaction = Mutex(Transaction(raw: raw))
    }

    /// The owner may write while the two meta pages are read, so one look at them proves no damage.
    private static func preflight(_ data: String, owned: Bool) throws(VaultError) {
        for _ in 0..<(owned ? 20 : 0) {
            if (try? Preflight(data)) != nil { return }
            usleep(1000)
        }
        _ = try Preflight(data)
    }

    deinit {
        transaction.withLock { mdb_txn_abort($0.raw) }
        environment.close()
    }

    /// Runs `body` on the moment at which this was opened; one at a time, and none inside another.
    public func read<R>(_ body: (any StoreReading) throws -> R) throws -> R {
        try environment.checkProcess()
        return try transaction.withLock { transaction in
            guard let raw = transaction.raw else { throw Limits.closed }
            let lent = LMDBReading(raw, in: environment)
            defer { lent.end() }
            return try body(lent)
        }
    }

    /// - Throws: `bad-request` always.
    public func write<R: Sendable>(_ body: @escaping @Sendable (any StoreWriting) throws -> R) async throws -> R {
        throw VaultError(.badRequest, "a snapshot of a store cannot be written to")
    }

    public func statistics() throws -> StoreStatistics {
        let counts = try read { transaction in try Table.allCases.map { ($0, try transaction.count($0)) } }
        return StoreStatistics(
            counts: Dictionary(uniqueKeysWithValues: counts), usedBytes: 0, fileBytes: environment.fileBytes,
            quotaBytes: environment.quota, commits: 0, operations: 0)
    }

    /// Ends the snapshot; the owner may use its pages again.
    public func close() async {
        transaction.withLock { transaction in
            mdb_txn_abort(transaction.raw)
            transaction.raw = nil
        }
    }
}

extension LMDBStore {
    /// Lets go of the pages that processes which died in the middle of a read still seem to see.
    ///
    /// - Returns: how many such reads there were.
    @discardableResult
    public func forgetDeadReaders() -> Int {
        var dead: Int32 = 0
        mdb_reader_check(environment.raw, &dead)
        return Int(dead)
    }
}
