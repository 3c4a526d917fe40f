public import VaultBase

/// A store that forgets: for tests and `vault serve` trials.
public final class MemoryStore: Store {
    public init(quota: Int = 1 << 30) { fatalError("stub") }
    public func read<R>(_ body: (any StoreReading) throws -> R) throws -> R { fatalError("stub") }
    public func write<R: Sendable>(_ body: @escaping @Sendable (any StoreWriting) throws -> R) async throws -> R {
        fatalError("stub")
    }
    public func statistics() throws -> StoreStatistics { fatalError("stub") }
    public func close() async { fatalError("stub") }
}
