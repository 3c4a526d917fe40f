import Synchronization
public import VaultBase
public import VaultStore

/// The vault's data, typed: connections, identities, sessions, logins and the redemption journal, each
/// sealed where it is secret.
///
/// The only place that knows both bytes on disk and plaintext. Reads never return a record whose
/// lifetime has ended, whatever path they come by.
public final class Records: Sendable {
    public let store: any Store
    public let clock: any WallClock
    let keys: VaultKeys
    /// The latest moment this process committed at, in ms: a wall clock set back brings nothing back.
    private let committed: Atomic<Int64>

    init(store: any Store, clock: any WallClock, keys: VaultKeys, state: VaultState) {
        self.store = store
        self.clock = clock
        self.keys = keys
        committed = Atomic(state.clock.rawValue)
    }

    /// The vault's present: the wall clock's, or the last commit's if that was later.
    public var now: Timestamp {
        max(clock.now(), Timestamp(rawValue: committed.load(ordering: .acquiring)))
    }

    func resetClock(to time: Timestamp) { committed.store(time.rawValue, ordering: .releasing) }

    /// Runs `body` on one consistent snapshot at the clock's present.
    public func read<R>(_ body: (RecordsView) throws -> R) throws -> R {
        let now = now
        return try store.read { try body(RecordsView(keys: keys, now: now, transaction: $0)) }
    }

    /// Runs `body` in one durable transaction; see ``Store/write(_:)`` for what it may do.
    public func write<R: Sendable>(_ body: @escaping @Sendable (RecordsTransaction) throws -> R) async throws -> R {
        let (result, time) = try await store.write { [keys, clock] transaction in
            let state = try VaultState.load(transaction, keys)
            let records = RecordsTransaction(
                keys: keys, now: max(clock.now(), state.clock), state: state, transaction: transaction)
            let result = try body(records)
            return (result, try records.finish())
        }
        if let time { committed.max(time.rawValue, ordering: .acquiringAndReleasing) }
        return result
    }
}

/// Names one connection.
public struct ConnectionName: Hashable, Sendable {
    public var user: UserID
    public var platform: PlatformName

    public init(user: UserID, platform: PlatformName) {
        self.user = user
        self.platform = platform
    }
}
