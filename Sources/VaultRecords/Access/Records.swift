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
    let vaultClock: VaultClock

    /// Whether a rotation runs in this process; two would wait for each other's terms.
    let isRotating = Atomic(false)

    /// How many changes the change log keeps at least; see ``ChangeLog``.
    package let leastChanges = Atomic(ChangeLog.least)

    /// - Parameter key: the one that opened the keyring.
    init(store: any Store, clock: any WallClock, keys: VaultKeys, openedBy key: GuardedKey, state: VaultState) {
        self.store = store
        self.clock = clock
        held = HeldKeys(keys, openedBy: key)
        vaultClock = VaultClock(clock, committed: state.clock)
    }

    /// The keys of this moment. In a write, ask inside its closure: one that waited may find newer ones.
    var keys: VaultKeys { held.keys }

    /// The key that the vault was opened with, or that took its place since.
    public var key: GuardedKey { held.key }

    func install(_ keys: VaultKeys, openedBy key: GuardedKey? = nil) {
        held.install(keys, openedBy: key)
    }

    /// The vault's present, by which lifetimes are given and judged: the wall clock's or, while that is behind the last
    /// commit, what runs on from there.
    public var now: Timestamp { vaultClock.now }

    /// How far the vault's clock is ahead of the wall clock: something was written while that was ahead, or it was set
    /// back since.
    public var clockLead: Duration { vaultClock.ahead }

    /// A moment of the vault's clock as the wall clock will show it: for those outside.
    public func outside(_ time: Timestamp) -> Timestamp { vaultClock.outside(time) }

    /// Runs `body` on one consistent snapshot at the clock's present.
    public func read<R>(_ body: (RecordsView) throws -> R) throws -> R {
        try snapshot { try body(RecordsView(keys: $1, now: $2, clock: vaultClock, transaction: $0)) }
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
    ///
    /// - Parameter aim: what it is for. Removals and the vault's own counts always go through, whatever it says.
    public func write<R: Sendable>(
        for aim: WriteAim = .growing, _ body: @escaping @Sendable (RecordsTransaction) throws -> R
    ) async throws -> R {
        let (result, reading) = try await store.write { [self] transaction -> (R, VaultClock.Reading?) in
            let keys = keys
            let state = try lastState(in: transaction) ?? VaultState.load(transaction, keys)
            transaction.room = aim.room
            let reading = vaultClock.read(notBefore: state.clock)
            let records = RecordsTransaction(
                keys: keys, now: reading.now, clock: vaultClock, state: state, transaction: transaction)
            records.leastChanges = leastChanges.load(ordering: .relaxed)
            let result = try body(records)
            guard let bytes = try records.finish() else { return (result, nil) }
            lastState.withLock { $0 = (bytes, records.state) }
            return (result, reading)
        }
        if let reading { vaultClock.note(reading) }
        return result
    }
}

/// What a write is for, which says whether it may go on when the store is full up to its quota.
public enum WriteAim: Sendable {
    /// Brings something new: refused first.
    case growing
    /// Keeps what is there up to date and must not be lost: takes what the store keeps for that.
    case saving
    /// Makes room, and tells of it: always goes through.
    case shrinking

    var room: StoreRoom {
        switch self {
        case .growing: .growing
        case .saving: .saving
        case .shrinking: .shrinking
        }
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
