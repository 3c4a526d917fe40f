import Synchronization
import Testing
import VaultBase
import VaultCrypto
import VaultRecords
import VaultStore

/// Increments: what changed since an earlier backup, chained at both ends.
@Suite struct BackupIncrementTests {
    let vaults: BackupBench
    var folder: Folder { vaults.folder }
    init() throws { vaults = try BackupBench() }

    private func restored(_ names: [String], _ bench: Bench) async throws -> Records {
        let store = MemoryStore()
        _ = try await OpenBackup(names.map(vaults.path), with: .key(bench.key))
            .restore(into: store, isSingleUse: { _ in false }) { _, _ in }
        return try Records.open(store, rootKey: bench.key, clock: bench.clock)
    }

    private func rows(_ records: Records) throws -> [[UInt8]] {
        try [Table.records, .identities].flatMap { table in
            try records.store.read { transaction in
                var rows: [[UInt8]] = []
                try transaction.scan(table, from: RawSpan()) { key, value in
                    rows.append(key.withUnsafeBytes { Array($0) } + value.withUnsafeBytes { Array($0) })
                    return true
                }
                return rows
            }
        }
    }

    @Test func aFullOneAndItsIncrementsAreTheVault() async throws {
        let bench = try await vaults.filled()
        try await bench.records.write { try $0.endRedemption(UserID("bob"), PlatformName("spotify")) }
        let full = try await vaults.backup(bench, "full").1
        // Changed, new, gone, gone and come back, come and gone.
        try await bench.put(bench.connection("ada", token: "later", dueAt: bench.now + .seconds(9)))
        try await bench.put(bench.connection("dora"))
        try await bench.records.write { records in
            try records.setUser(UserID("dora"), of: "account-of-dora", at: PlatformName("spotify"))
            try records.delete(UserID("ada"), PlatformName("github"))
            try records.delete(UserID("bob"), PlatformName("spotify"))
        }
        try await bench.put(bench.connection("bob", token: "again"))
        try await bench.put(bench.connection("eve"))
        try await bench.records.write { _ = try $0.delete(UserID("eve"), PlatformName("spotify")) }
        let one = try await vaults.backup(bench, "one", since: full.end).1
        #expect(one.entries == 6 && one.connections == 4)
        try await bench.put(bench.connection("frank", endsAt: bench.now + .seconds(60)))
        let two = try await vaults.backup(bench, "two", since: one.end).1
        #expect(two.entries == 1)
        // And nothing at all.
        let three = try await vaults.backup(bench, "three", since: two.end).1
        #expect(three.entries == 0 && three.since == two.end && three.end == two.end)

        let records = try await restored(["full", "one", "two", "three"], bench)
        #expect(try rows(records) == rows(bench.records))
        #expect(try records.verify().problems == [])
        #expect(try await restored(["full", "one"], bench).read { try $0.connections(of: UserID("frank")) }.isEmpty)
        #expect(try OpenBackup([vaults.path("two")], with: .key(bench.key)).verify { _, _ in } == [two])
    }

    /// Increments of an idle vault end where they begin; what every file has whole is loaded from the last one alone.
    @Test func idleTimesInBetweenChangeNothing() async throws {
        let bench = try await ErrandTests.filled()
        try await bench.records.write { records in
            try records.setUser(UserID("ada"), of: "account-of-ada", at: PlatformName("spotify"))
            try records.begin(
                Redemption(user: UserID("ada"), platform: PlatformName("spotify"), generation: 1, begunAt: bench.now))
        }
        var end = try await vaults.backup(bench, "full").1.end
        for (number, user) in [nil, nil, "bob", nil, "cy", nil, nil].enumerated() {
            if let user { try await bench.put(bench.connection(user)) }
            let one = try await vaults.backup(bench, "\(number)", since: end).1
            #expect((one.end == end) == (user == nil))
            end = one.end
        }
        let names = ["full"] + (0..<7).map(String.init)
        for count in 1...names.count {
            let some = Array(names[..<count])
            let records = try await restored(some, bench)
            #expect(try records.verify().problems == [], "\(some)")
            let status = try records.status()
            #expect(status.events == 1 && status.serviceKeys == 1 && status.revocations == 2)
            #expect(status.connections == (count < 4 ? 1 : count < 6 ? 2 : 3))
            let backup = try OpenBackup(some.map(vaults.path), with: .key(bench.key))
            #expect(try await backup.drill(into: MemoryStore()) { _, _ in }.connections == status.connections)
        }
    }

    @Test func aGapIsRefusedByName() async throws {
        let bench = try await vaults.small()
        var end = try await vaults.backup(bench, "full").1.end
        for name in ["one", "two"] {
            try await bench.put(bench.connection(name))
            end = try await vaults.backup(bench, name, since: end).1.end
        }
        func refusal(_ names: [String]) async -> String {
            do {
                _ = try await restored(names, bench)
                return "accepted"
            } catch let error as VaultError { return "\(error.code) \(error)" } catch { return "\(error)" }
        }
        let gap = await refusal(["full", "two"])
        #expect(gap.hasPrefix("conflict") && gap.contains("/full ends at") && gap.contains("/two begins at"))
        #expect(await refusal(["one", "two"]).contains("/one is an increment that begins at"))
        #expect(await refusal(["full", "two", "one"]).hasPrefix("conflict"))
        #expect(await refusal(["full", "one", "one"]).hasPrefix("conflict"))
        #expect(await refusal(["full", "full"]).contains("is a full backup and needs none before it"))
        let other = try await Bench()
        _ = try await vaults.backup(other, "other")
        #expect(await refusal(["full", "other"]).hasPrefix("wrong-key"))
    }

    @Test func anIncrementFollowsOnlyWhatTheVaultWas() async throws {
        let bench = try await vaults.small()
        let end = try await vaults.backup(bench, "full").1.end
        try await bench.put(bench.connection("bob"))
        let wrong = try #require(ChainPoint(sequence: end.sequence, hash: [UInt8](repeating: 7, count: 32)))
        let ahead = try #require(ChainPoint(sequence: end.sequence + 100, hash: end.hash))
        for point in [wrong, ahead] {
            #expect(await code { _ = try await vaults.backup(bench, "one", since: point) } == .conflict)
        }
        // A line of the log that was taken out is missed, and nothing is left of the attempt.
        let line = try #require(try bench.rows(.changes).last)
        let key = line.0
        try await bench.store.write { _ = try $0.delete(key.span.bytes, in: .changes) }
        #expect(await code { _ = try await vaults.backup(bench, "one", since: end) } == .conflict)
        #expect(try folder.names() == ["full"])
        // A restored vault in which something became uncertain is another than the one that was backed up.
        let store = MemoryStore()
        _ = try await OpenBackup([vaults.path("full")], with: .key(bench.key))
            .restore(into: store, isSingleUse: { _ in true }) { _, _ in }
        let records = try Records.open(store, rootKey: bench.key, clock: bench.clock)
        let refused = await code {
            _ = try await Backup.write(records, to: vaults.path("one"), since: end) { _, _ in }
        }
        #expect(refused == .conflict)
    }

    @Test func anIncrementReachesOverARotation() async throws {
        let bench = try await vaults.filled()
        let end = try await vaults.backup(bench, "full").1.end
        #expect(try await bench.records.rotate().destroyed == [1])
        try await bench.put(bench.connection("dora"))
        _ = try await vaults.backup(bench, "one", since: end)
        let records = try await restored(["full", "one"], bench)
        #expect(try records.verify().problems == [])
        #expect(try records.read { try $0.connection(UserID("dora"), PlatformName("spotify")) } != nil)
        #expect(try records.read { try $0.connection(UserID("bob"), PlatformName("spotify"))?.health } == .uncertain)
    }

    @Test func whatWasUncertainBeforeIsSoAfter() async throws {
        let bench = try await vaults.filled()
        let end = try await vaults.backup(bench, "full").1.end
        // The refresh that was under way is over, and another has begun.
        try await bench.put(bench.connection("bob", token: "fresh"))
        try await bench.records.write { records in
            try records.endRedemption(UserID("bob"), PlatformName("spotify"))
            try records.begin(
                Redemption(user: UserID("ada"), platform: PlatformName("spotify"), generation: 1, begunAt: bench.now))
        }
        _ = try await vaults.backup(bench, "one", since: end)
        let records = try await restored(["full", "one"], bench)
        func health(_ user: String) throws -> Health? {
            try records.read { try $0.connection(UserID(user), PlatformName("spotify"))?.health }
        }
        #expect(try health("bob") == .healthy)
        #expect(try health("ada") == .uncertain)
    }

    /// More changes than are kept: the log stays short, and says that it does not reach back.
    @Test func theChangeLogIsBounded() async throws {
        let bench = try await vaults.small()
        let end = try await vaults.backup(bench, "full").1.end
        bench.records.leastChanges.store(2048, ordering: .relaxed)
        let template = try bench.connection()
        for round in 0..<4 {
            try await bench.records.write { records in
                for index in 0..<1000 {
                    var connection = template
                    connection.user = try UserID("u\(index)")
                    connection.generation = UInt64(round)
                    try records.put(connection, expecting: nil)
                }
            }
        }
        let lines = try bench.count(.changes)
        #expect(lines >= 2048 && lines < 4000)
        #expect(await code { _ = try await vaults.backup(bench, "one", since: end) } == .conflict)
        #expect(try folder.names() == ["full"])
    }
}
