package import Synchronization
public import VaultBase
public import VaultCrypto
public import VaultStore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The vault's data, typed: connections, identities, sessions, logins and the redemption journal, each
/// sealed where it is secret.
///
/// The only place that knows both bytes on disk and plaintext. Reads never return a record whose
/// lifetime has ended, whatever path they come by.
public final class Records: Sendable {
    public let store: any Store
    public let clock: any WallClock
    private let held: HeldKeys
    /// The state as it was last written, and its bytes: where the same bytes stand, nothing needs to be proven anew.
    private let lastState = Mutex<(bytes: [UInt8], state: VaultState)?>(nil)
    /// The latest moment this process committed at, in ms: a wall clock set back brings nothing back.
    private let committed: Atomic<Int64>

    /// Whether a rotation runs in this process; two would wait for each other's terms.
    let isRotating = Atomic(false)

    /// How many changes the change log keeps at least; see ``ChangeLog``.
    package let leastChanges = Atomic(ChangeLog.least)

    /// - Parameter key: the one that opened the keyring.
    init(store: any Store, clock: any WallClock, keys: VaultKeys, openedBy key: GuardedKey, state: VaultState) {
        self.store = store
        self.clock = clock
        held = HeldKeys(keys, openedBy: key)
        committed = Atomic(state.clock.rawValue)
    }

    /// The keys of this moment. In a write, ask inside its closure: one that waited may find newer ones.
    var keys: VaultKeys { held.keys }

    /// The key that the vault was opened with, or that took its place since.
    public var key: GuardedKey { held.key }

    func install(_ keys: VaultKeys, openedBy key: GuardedKey? = nil) {
        held.install(keys, openedBy: key)
    }

    /// The vault's present: the wall clock's, or the last commit's if that was later.
    public var now: Timestamp {
        max(clock.now(), Timestamp(rawValue: committed.load(ordering: .acquiring)))
    }

    func resetClock(to time: Timestamp) { committed.store(time.rawValue, ordering: .releasing) }

    /// Runs `body` on one consistent snapshot at the clock's present.
    public func read<R>(_ body: (RecordsView) throws -> R) throws -> R {
        try snapshot { try body(RecordsView(keys: $1, now: $2, transaction: $0)) }
    }

    /// The same without making a view of it.
    func snapshot<R>(_ body: (any StoreReading, VaultKeys, _ now: Timestamp) throws -> R) throws -> R {
        let now = now
        let lent = held.lend()
        return try store.read { try body($0, held.keys(after: lent), now) }
    }

    private func lastState(in transaction: any StoreReading) throws -> VaultState? {
        guard let last = lastState.withLock({ $0 }) else { return nil }
        let key = VaultState.key
        let isThere = try transaction.get(key.span.bytes, in: .state) { value in
            value.withUnsafeBytes { value in
                guard let start = value.baseAddress, value.count == last.bytes.count else { return false }
                return memcmp(start, last.bytes, value.count) == 0
            }
        }
        return isThere == true ? last.state : nil
    }

    /// Runs `body` in one durable transaction; see ``Store/write(_:)`` for what it may do.
    public func write<R: Sendable>(_ body: @escaping @Sendable (RecordsTransaction) throws -> R) async throws -> R {
        let (result, time) = try await store.write { [self] transaction -> (R, Timestamp?) in
            let keys = keys
            let state = try lastState(in: transaction) ?? VaultState.load(transaction, keys)
            let records = RecordsTransaction(
                keys: keys, now: max(clock.now(), state.clock), state: state, transaction: transaction)
            records.leastChanges = leastChanges.load(ordering: .relaxed)
            let result = try body(records)
            guard let bytes = try records.finish() else { return (result, nil) }
            lastState.withLock { $0 = (bytes, records.state) }
            return (result, records.now)
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
