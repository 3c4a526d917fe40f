public import VaultBase
public import VaultCrypto
public import VaultStore

/// The vault's data, typed: connections, identities, sessions, logins and the redemption journal, each
/// sealed where it is secret.
///
/// The only place that knows both bytes on disk and plaintext. Reads never return a record whose
/// lifetime has ended, whatever path they come by.
public final class Records: Sendable {
    public let store: any Store
    public let clock: any WallClock

    package init(store: any Store, clock: any WallClock) {
        self.store = store
        self.clock = clock
    }

    /// Runs `body` on one consistent snapshot at the clock's present.
    public func read<R>(_ body: (RecordsView) throws -> R) throws -> R { fatalError("stub") }

    /// Runs `body` in one durable transaction; see ``Store/write(_:)`` for what it may do.
    public func write<R: Sendable>(_ body: @escaping @Sendable (RecordsTransaction) throws -> R) async throws -> R {
        fatalError("stub")
    }

    /// Removes what ended longer than `grace` ago: records (only those whose version is still the one
    /// the index names), sessions and logins.
    public func sweep(grace: Duration, limit: Int, dryRun: Bool) async throws -> SweepResult { fatalError("stub") }

    /// The connections whose refresh-ahead time has come, earliest first.
    public func due(before time: Timestamp, limit: Int) throws -> [(UserID, PlatformName)] { fatalError("stub") }

    /// Walks all living connections in key order, in short read transactions so that the store does not grow.
    public func forEachConnection(_ body: (Connection) throws -> Bool) throws { fatalError("stub") }
}

/// What a sweep removed (or, in a dry run, would remove).
public struct SweepResult: Sendable, Equatable {
    public var connections: [ConnectionName]
    public var sessions: Int
    public var logins: Int
    /// Whether `limit` stopped it before it was done.
    public var more: Bool
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

/// A snapshot lent to ``Records/read(_:)``.
public class RecordsView {
    public let now: Timestamp
    let transaction: any StoreReading

    init(now: Timestamp, transaction: any StoreReading) {
        self.now = now
        self.transaction = transaction
    }

    public func connection(_ user: UserID, _ platform: PlatformName) throws -> Connection? { fatalError("stub") }
    /// In order of platform name.
    public func connections(of user: UserID) throws -> [Connection] { fatalError("stub") }
    /// Whose the provider account is.
    public func user(of subject: String, at platform: PlatformName) throws -> UserID? { fatalError("stub") }
    public func session(_ id: String) throws -> SessionRecord? { fatalError("stub") }
    public func login(_ state: String) throws -> LoginRecord? { fatalError("stub") }
    public func redemption(_ user: UserID, _ platform: PlatformName) throws -> Redemption? { fatalError("stub") }
    /// All redemptions begun and not finished: what a crash left behind.
    public func redemptions() throws -> [Redemption] { fatalError("stub") }
}

/// A transaction lent to ``Records/write(_:)``: reads its own writes.
public final class RecordsTransaction: RecordsView {
    /// Writes the connection and moves its index entries; returns its new version.
    ///
    /// - Parameter expected: the version that must still be there; 0 for "there must be none", nil for any.
    /// - Throws: `conflict` when it is another.
    @discardableResult
    public func put(_ connection: Connection, expecting expected: UInt64?) throws -> UInt64 { fatalError("stub") }
    /// Removes the connection, its index entries, its journal entry and its identity; returns what was there.
    @discardableResult
    public func delete(_ user: UserID, _ platform: PlatformName) throws -> Connection? { fatalError("stub") }
    public func setUser(_ user: UserID, of subject: String, at platform: PlatformName) throws { fatalError("stub") }
    public func put(_ session: SessionRecord) throws { fatalError("stub") }
    public func deleteSession(_ id: String) throws { fatalError("stub") }
    /// Logs the user out everywhere; returns how many sessions there were.
    @discardableResult
    public func deleteSessions(of user: UserID) throws -> Int { fatalError("stub") }
    public func put(_ login: LoginRecord) throws { fatalError("stub") }
    public func deleteLogin(_ state: String) throws { fatalError("stub") }
    public func begin(_ redemption: Redemption) throws { fatalError("stub") }
    public func endRedemption(_ user: UserID, _ platform: PlatformName) throws { fatalError("stub") }
}
