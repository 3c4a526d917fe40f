import CLMDB
import Glibc
public import VaultBase

/// A store in an LMDB environment: `data.mdb`, `lock.mdb` and `vault.lock` in one directory.
///
/// Call ``prepareProcess()`` once at the start of a program that uses one.
public final class LMDBStore: Store {
    /// How to open one.
    public struct Options: Sendable {
        /// The most bytes the data may take. Default: 8 GiB.
        ///
        /// Counted are the pages in use. The file may be longer: it keeps room that was used once, or that
        /// a long read still sees.
        public var quota = 8 << 30
        /// The address space to map, in bytes; falls back to less under `RLIMIT_AS`. Default: 1 TiB.
        public var mapSize = 1 << 40
        /// The most reads at one time. Default: 512.
        public var readers = 512
        /// The most writes that may wait; one more is refused with `unavailable`. Default: 16384.
        public var queueLimit = 16384
        /// Opens on network and FUSE file systems too, where nothing is promised. Default: no.
        public var allowsAnyFileSystem = false
        /// Called once, on the writer's thread, when the disk has failed and no write can work any more.
        public var onFailure: (@Sendable (VaultError) -> Void)?
        /// Tells the kind of file system, in the kernel's numbers.
        var fileSystem: @Sendable (String) throws(VaultError) -> UInt32 = FileSystem.kind
        /// Runs when a new store is finished but not yet in its place.
        var beforeRename: (@Sendable () -> Void)?

        public init() {}
    }

    let environment: Environment
    private let readers: Readers
    private let writer: Writer

    /// Ignores the signals by which the kernel would kill the process for a full disk or a closed pipe;
    /// both are errors that are handled where they happen.
    public static func prepareProcess() {
        signal(SIGXFSZ, SIG_IGN)
        signal(SIGPIPE, SIG_IGN)
    }

    /// Makes an empty store at `path` in a directory beside it, flushes it, then renames it into place.
    ///
    /// Directories above `path` are made too, for the owner alone. What stands at `path` may be nothing or
    /// an empty directory.
    /// - Throws: `conflict` when something is there, `locked` on a network file system, `file`, `full`.
    public static func create(at path: String, options: Options = Options()) throws -> LMDBStore {
        let path = Files.trimmed(path)
        return try LMDBStore(path, options, try Creation.make(path, options: options))
    }

    /// Opens the store at `path` and owns it until ``close()``.
    ///
    /// - Throws: `no-store` when there is none, `locked` when another process owns it or the file system is
    ///   a shared one, `damaged` for a file that was cut short or is no store, `newer-format`, `file`.
    public static func open(at path: String, options: Options = Options()) throws -> LMDBStore {
        let path = Files.trimmed(path)
        guard Files.status("\(path)/data.mdb") != nil else {
            guard errno == ENOENT || errno == ENOTDIR else { throw Fault.error(errno, "open \(path)") }
            throw VaultError(.noStore, "there is no store at \(path)", hint: "make one with: vault init")
        }
        try FileSystem.check(path, options: options)
        return try LMDBStore(path, options, try Ownership(of: path))
    }

    private init(_ path: String, _ options: Options, _ ownership: Ownership) throws {
        let data = "\(path)/data.mdb"
        try ownership.claim(data, in: path)
        let preflight = try Preflight(data)
        environment = try preflight.lengthening(data) { () throws(VaultError) in
            try Environment(path, options: options)
        }
        readers = Readers(environment)
        writer = Writer(environment, readers: readers, ownership: ownership, options: options)
        do {
            if preflight.isShort { try preflight.checkMissing(in: environment.raw, data) }
            try writer.start()
        } catch {
            environment.close()
            throw error
        }
    }

    deinit { writer.stop() }

    /// Why no write can work any more; nil while all is well.
    public var failure: VaultError? { writer.failure }

    /// Whether the disk failed under a write, in this process or an earlier one, and the whole store was not looked at
    /// since.
    public var isInDoubt: Bool { Doubt.isRaised(in: environment.path) }

    /// The whole store was looked at and is sound.
    ///
    /// - Throws: `file`.
    public func settleDoubt() throws { try Doubt.clear(in: environment.path) }

    public func read<R>(_ body: (any StoreReading) throws -> R) throws -> R {
        try readers.read { transaction, _ in try body(transaction) }
    }

    /// - Throws: besides what ``Store`` says, `unavailable` when too many writes wait already.
    public func write<R: Sendable>(_ body: @escaping @Sendable (any StoreWriting) throws -> R) async throws -> R {
        try await writer.write(body, isDurable: true)
    }

    public func load<R: Sendable>(_ body: @escaping @Sendable (any StoreWriting) throws -> R) async throws -> R {
        try await writer.write(body, isDurable: false)
    }

    public func statistics() throws -> StoreStatistics {
        try readers.read { transaction, raw in
            let counts = try Table.allCases.map { ($0, try transaction.count($0)) }
            let written = writer.counts
            var statistics = StoreStatistics(
                counts: Dictionary(uniqueKeysWithValues: counts), usedBytes: environment.usedBytes(in: raw),
                fileBytes: environment.fileBytes, quotaBytes: environment.quota, commits: written.commits,
                operations: written.operations)
            statistics.lastCommit = written.lastCommit
            statistics.waiting = written.waiting
            return statistics
        }
    }

    public func close() async { await writer.close() }
}
