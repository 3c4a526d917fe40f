import Synchronization
import Testing
import VaultBase
import VaultCrypto
import VaultRecords
import VaultStore

/// A clock moved by hand: time that passes moves the steady clock too, a step does not.
final class HandClock: WallClock {
    private let milliseconds: Atomic<Int64>
    private let passed = Atomic<Int64>(0)
    init(_ time: Timestamp = Timestamp(seconds: 1_800_000_000)) { milliseconds = Atomic(time.rawValue) }
    func now() -> Timestamp { Timestamp(rawValue: milliseconds.load(ordering: .relaxed)) }
    func set(_ time: Timestamp) { milliseconds.store(time.rawValue, ordering: .relaxed) }
    func steady() -> Duration { .milliseconds(passed.load(ordering: .relaxed)) }
    func advance(_ duration: Duration) {
        set(now() + duration)
        passed.add(duration.milliseconds, ordering: .relaxed)
    }
}

/// A vault in memory with a clock and a key, for one test.
struct Bench {
    let clock = HandClock()
    let key: GuardedKey
    let store: any Store
    let records: Records

    init(_ store: any Store = MemoryStore()) async throws {
        self.store = store
        key = try GuardedKey.generate()
        records = try await Records.create(in: store, rootKey: key, clock: clock)
    }

    func reopened() throws -> Records { try Records.open(store, rootKey: key, clock: clock) }

    var now: Timestamp { clock.now() }

    func connection(
        _ user: String = "ada", _ platform: String = "spotify", token: String = "access-1",
        endsAt: Timestamp? = nil, dueAt: Timestamp? = nil
    ) throws -> Connection {
        Connection(
            user: try UserID(user), platform: try PlatformName(platform), accessToken: Secret(token),
            refreshToken: Secret("refresh-1"), scope: "read write", expiresAt: now + .seconds(3600), createdAt: now,
            updatedAt: now, consentedAt: now, endsAt: endsAt, dueAt: dueAt, subject: "account-of-\(user)",
            displayName: "Ada", clientID: "client")
    }

    @discardableResult
    func put(_ connection: Connection, expecting: UInt64? = nil) async throws -> UInt64 {
        try await records.write { try $0.put(connection, expecting: expecting) }
    }

    /// The whole connection; the short way to its token must say the same, also of what is wrong with it.
    func get(_ user: String = "ada", _ platform: String = "spotify") throws -> Connection? {
        let (user, platform) = (try UserID(user), try PlatformName(platform))
        let found = Result { try records.read { try $0.connection(user, platform) } }
        let token = Result { try records.token(of: user, at: platform).token }
        switch (found, token) {
        case (.success(let connection), .success(let token)): #expect(connection?.token == token)
        case (.failure(let error), .failure(let other)): #expect("\(error)" == "\(other)")
        default: Issue.record("the connection is \(found), its token \(token)")
        }
        return try found.get()
    }

    func session(_ id: String = "s1", _ user: String = "ada", lasts: Duration = .seconds(60)) throws -> SessionRecord {
        SessionRecord(id: id, user: try UserID(user), createdAt: now, endsAt: now + lasts)
    }

    func login(
        _ state: String = "state-1", lasts: Duration = .seconds(60), progress: LoginRecord.Progress = .pending
    ) throws -> LoginRecord {
        LoginRecord(
            state: state, platform: try PlatformName("spotify"), binding: [1, 2, 3], verifier: Secret("verifier"),
            nonce: "nonce", issuer: "https://id.example", tokenEndpoint: "https://id.example/token",
            clientID: "client", redirectURI: "https://vault.example/cb", user: try UserID("ada"), scope: "read",
            returnTo: "/app", createdAt: now, endsAt: now + lasts, progress: progress)
    }

    func count(_ table: Table) throws -> Int { try store.read { try $0.count(table) } }

    /// Every key and value of a table.
    func rows(_ table: Table) throws -> [([UInt8], [UInt8])] {
        try store.read { transaction in
            var rows: [([UInt8], [UInt8])] = []
            try transaction.scan(table, from: RawSpan()) { key, value in
                rows.append((key.withUnsafeBytes { Array($0) }, value.withUnsafeBytes { Array($0) }))
                return true
            }
            return rows
        }
    }

    func set(_ value: [UInt8], for key: [UInt8], in table: Table) async throws {
        try await store.write { try $0.put(value.span.bytes, for: key.span.bytes, in: table) }
    }
}

/// The code of the error `body` throws; nil when it throws none or another kind.
func code(_ body: () async throws -> Void) async -> VaultError.Code? {
    do {
        try await body()
        return nil
    } catch { return (error as? VaultError)?.code }
}

extension Backup {
    static func verify(
        _ path: String, rootKey: GuardedKey, _ progress: (Int, Int) -> Void
    ) throws -> Manifest {
        let manifests = try OpenBackup([path], with: .key(rootKey)).verify(progress: progress)
        return manifests[0]
    }

    static func restore(
        _ path: String, into store: any Store, rootKey: GuardedKey,
        isSingleUse: @escaping @Sendable (PlatformName) -> Bool,
        progress: @escaping @Sendable (Int, Int) -> Void
    ) async throws -> Manifest {
        try await OpenBackup([path], with: .key(rootKey))
            .restore(into: store, isSingleUse: isSingleUse, progress: progress)
    }
}
