import Synchronization
import VaultBase
import VaultStore

/// A memory store whose writes fail when told to.
final class FragileStore: Store {
    private let store: MemoryStore
    private let state = Mutex((fault: VaultError?.none, after: 0))

    init(quota: Int = 1 << 30) { store = MemoryStore(quota: quota) }

    /// From now on, once `after` more writes have gone well, each write fails with `error`; nil mends it.
    func fail(with error: VaultError?, after: Int = 0) { state.withLock { $0 = (error, after) } }

    func read<R>(_ body: (any StoreReading) throws -> R) throws -> R { try store.read(body) }

    func write<R: Sendable>(_ body: @escaping @Sendable (any StoreWriting) throws -> R) async throws -> R {
        let fault: VaultError? = state.withLock { state in
            guard state.fault != nil, state.after > 0 else { return state.fault }
            state.after -= 1
            return nil
        }
        if let fault { throw fault }
        return try await store.write(body)
    }

    func statistics() throws -> StoreStatistics { try store.statistics() }
    func close() async { await store.close() }

    static let full = VaultError(.full, "the store is full")
}
