import Testing
import VaultBase
import VaultCrypto
import VaultRecords
import VaultStore

/// Which grants a restore made uncertain, and how far telling of them has come.
@Suite struct RestoredGrantTests {
    let vaults: BackupBench
    init() throws { vaults = try BackupBench() }

    /// Ada, bob and a few more at spotify, whose tokens can be used once, and ada at github, whose cannot.
    private func restored(_ users: [String] = ["ada", "bob"]) async throws -> (Bench, any Store) {
        let bench = try await Bench()
        for user in users { try await bench.put(bench.connection(user)) }
        try await bench.put(bench.connection("ada", "github"))
        let (path, _) = try await vaults.backup(bench)
        let store = MemoryStore()
        _ = try await Backup.restore(path, into: store, rootKey: bench.key, isSingleUse: { $0.rawValue == "spotify" }) {
            _, _ in
        }
        return (bench, store)
    }

    private func open(_ store: any Store, _ bench: Bench) throws -> Records {
        try Records.open(store, rootKey: bench.key, clock: bench.clock)
    }

    /// Everything that is left, in steps of at most `limit`.
    private func rest(_ records: Records, limit: Int = 100) async throws -> [String] {
        var found: [String] = []
        while let next = try await records.write({ try $0.nextRestoredGrants(limit: limit) }) {
            #expect(next.count <= limit)
            found += next.map { "\($0.user) \($0.platform)" }
        }
        return found
    }

    @Test(arguments: [1, 2, 100]) func eachIsNamedOnce(_ limit: Int) async throws {
        let (bench, store) = try await restored()
        let records = try open(store, bench)
        #expect(try records.read { try $0.hasRestoredGrants() })
        #expect(try await rest(records, limit: limit) == ["ada spotify", "bob spotify"])
        #expect(try await rest(records) == [])
        #expect(try !records.read { try $0.hasRestoredGrants() })
        #expect(try records.verify().isSound)
    }

    @Test func aRestartGoesOnWhereItStopped() async throws {
        let (bench, store) = try await restored()
        let first = try await open(store, bench).write { try $0.nextRestoredGrants(limit: 1) }
        #expect(first?.map(\.user.rawValue) == ["ada"])
        #expect(try await rest(open(store, bench)) == ["bob spotify"])
    }

    @Test func oneThatWasWrittenSinceHasToldForItself() async throws {
        let (bench, store) = try await restored()
        let records = try open(store, bench)
        try await records.write { transaction in
            let ada = try UserID("ada")
            guard var connection = try transaction.connection(ada, PlatformName("spotify")) else { return }
            connection.displayName = "still uncertain, but by somebody else"
            try transaction.put(connection, expecting: nil)
        }
        #expect(try await rest(records) == ["bob spotify"])
    }

    @Test func oneThatDoesNotOpenHoldsUpNobody() async throws {
        let (bench, store) = try await restored(["ada", "bob", "cy"])
        try await store.write { transaction in
            var bob: ([UInt8], [UInt8])?
            try transaction.scan(.records, from: RawSpan()) { key, value in
                let key = key.withUnsafeBytes { Array($0) }
                if key.starts(with: Array("bob".utf8)) { bob = (key, value.withUnsafeBytes { Array($0) }) }
                return true
            }
            guard case (let key, var value)? = bob else { return }
            value[value.count - 1] ^= 1
            try transaction.put(value.span.bytes, for: key.span.bytes, in: .records)
        }
        #expect(try await rest(open(store, bench)) == ["ada spotify", "cy spotify"])
    }

    @Test func aRestoreThatMadeNothingUncertainHasNothingToTell() async throws {
        let bench = try await Bench()
        try await bench.put(bench.connection())
        let (path, _) = try await vaults.backup(bench)
        let store = MemoryStore()
        _ = try await Backup.restore(path, into: store, rootKey: bench.key, isSingleUse: { _ in false }) { _, _ in }
        #expect(try !open(store, bench).read { try $0.hasRestoredGrants() })
    }

    @Test func anotherDataKeyChangesNothingOfIt() async throws {
        let (bench, store) = try await restored()
        let records = try open(store, bench)
        _ = try await records.rotate()
        #expect(try await rest(records) == ["ada spotify", "bob spotify"])
    }
}
