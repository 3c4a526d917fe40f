import Synchronization
import VaultBase
import VaultStore

/// A memory store whose writes fail when told to, and its reads too where nothing could be read either.
final class FaultyStore: Store {
    private let store = MemoryStore()
    private let fault = Mutex<VaultError?>(nil)

    /// From now on; nil mends it. A store that is full still reads.
    func fail(with error: VaultError?) { fault.withLock { $0 = error } }

    func read<R>(_ body: (any StoreReading) throws -> R) throws -> R {
        if let fault = fault.withLock({ $0 }), fault.code != .full { throw fault }
        return try store.read(body)
    }

    func write<R: Sendable>(_ body: @escaping @Sendable (any StoreWriting) throws -> R) async throws -> R {
        if let fault = fault.withLock({ $0 }) { throw fault }
        return try await store.write(body)
    }

    func statistics() throws -> StoreStatistics { try store.statistics() }
    func close() async { await store.close() }
}
