
/// A store in an LMDB environment: `data.mdb`, `lock.mdb` and `vault.lock` in one directory.
public final class LMDBStore: Store {
    /// How to open one.
    public struct Options: Sendable {
        /// The most bytes the data may take. Default: 8 GiB.
        public var quota = 8 << 30
        /// The address space to map, in bytes; falls back to less under `RLIMIT_AS`. Default: 1 TiB.
        public var mapSize = 1 << 40
        public init() {}
    }

    /// Makes an empty store at `path` in a directory beside it, flushes it, then renames it into place.
    ///
    /// - Throws: `conflict` when something is there, `locked` on a network file system, `file`, `full`.
    public static func create(at path: String, options: Options = Options()) throws -> LMDBStore { fatalError("stub") }

    /// Opens the store at `path` and owns it until ``close()``.
    ///
    /// - Throws: `no-store` when there is none, `locked` when another process owns it, `file`.
    public static func open(at path: String, options: Options = Options()) throws -> LMDBStore { fatalError("stub") }

    public func read<R>(_ body: (any StoreReading) throws -> R) throws -> R { fatalError("stub") }
    public func write<R: Sendable>(_ body: @escaping @Sendable (any StoreWriting) throws -> R) async throws -> R {
        fatalError("stub")
    }
    public func statistics() throws -> StoreStatistics { fatalError("stub") }
    public func close() async { fatalError("stub") }
}
