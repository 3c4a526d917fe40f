#if canImport(Glibc)
    import Glibc
#endif
import Synchronization
import Testing
import VaultBase
import VaultCrypto
import VaultRecords
import VaultStore

/// Backups while somebody writes.
@Suite struct BackupUnderWritesTests {
    let vaults: BackupBench
    var folder: Folder { vaults.folder }
    init() throws { vaults = try BackupBench() }

    /// Pairs are written together while backups run: no backup may hold half a pair.
    @Test(arguments: [false, true]) func aBackupUnderWritesIsOneMoment(onDisk: Bool) async throws {
        let bench = try await Bench(onDisk ? LMDBStore.create(at: folder.path + "/store") : MemoryStore())
        let stop = Flag()
        let records = bench.records
        let template = try bench.connection()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                var round: UInt64 = 0
                while !stop.isSet {
                    round += 1
                    let generation = round
                    try await records.write { transaction in
                        for user in ["left-\(generation % 50)", "right-\(generation % 50)"] {
                            var connection = template
                            connection.user = try UserID(user)
                            connection.generation = generation
                            try transaction.put(connection, expecting: nil)
                        }
                    }
                    await Task.yield()
                }
            }
            defer { stop.set() }
            for number in 0..<5 {
                let (path, _) = try await vaults.backup(bench, "b\(number)")
                let store = MemoryStore()
                _ = try await Backup.restore(path, into: store, rootKey: bench.key, isSingleUse: { _ in false }) {
                    _, _ in
                }
                let restored = try Records.open(store, rootKey: bench.key, clock: bench.clock)
                var generations: [String: UInt64] = [:]
                try restored.forEachConnection { connection in
                    generations[connection.user.rawValue] = connection.generation
                    return true
                }
                for index in 0..<50 { #expect(generations["left-\(index)"] == generations["right-\(index)"]) }
            }
            stop.set()
            try await group.waitForAll()
        }
        await bench.store.close()
    }

    /// The backup is made slow on purpose while somebody writes as fast as the store can: it holds no
    /// snapshot, so pages are used again, and it is the vault of one moment all the same.
    @Test func aSlowBackupLetsTheStoreGrowByNoMoreThanTheWritesThemselves() async throws {
        let store = try LMDBStore.create(at: folder.path + "/store")
        let bench = try await Bench(store)
        let template = try bench.connection(token: String(repeating: "x", count: 3000))
        @Sendable func put(_ range: Range<Int>, _ generation: UInt64) async throws {
            try await bench.records.write { transaction in
                for index in range {
                    var connection = template
                    connection.user = try UserID("user-\(index)")
                    connection.generation = generation
                    try transaction.put(connection, expecting: nil)
                }
            }
        }
        for start in stride(from: 0, to: 1500, by: 500) { try await put(start..<(start + 500), 0) }
        // Once over everything without a backup: the log is there, and free pages to work with.
        for start in stride(from: 0, to: 1500, by: 25) { try await put(start..<(start + 25), 1) }
        let before = try store.statistics().fileBytes
        let stop = Flag()
        let rounds = Count()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                var round = 0
                while !stop.isSet {
                    let start = round * 499 % 1475
                    try await put(start..<(start + 25), UInt64(round + 2))
                    round += 1
                    rounds.value = round
                }
            }
            defer { stop.set() }
            let backup = try await Backup.write(bench.records, to: vaults.path("b")) { done, total in
                // A slow disk: each slice takes as long as 30 commits. (What changed is caught up with at full speed.)
                let until = rounds.value + 30
                while done < total / 2 - 1, rounds.value < until { usleep(500) }
            }
            stop.set()
            try await group.waitForAll()
            #expect(backup.entries > 1500, "changes were caught up with")
        }
        #expect(rounds.value > 120)
        let growth = try store.statistics().fileBytes - before
        // 120 commits of 25 scattered records free some 15 MB of pages; a snapshot would have kept them all.
        #expect(growth < 4 << 20, "grew by \(growth >> 10) KiB in \(rounds.value) commits")
        #expect(try Backup.verify(vaults.path("b"), rootKey: bench.key) { _, _ in }.connections == 1500)
        await store.close()
    }
}

private final class Flag: Sendable {
    private let value = Atomic(false)
    var isSet: Bool { value.load(ordering: .relaxed) }
    func set() { value.store(true, ordering: .relaxed) }
}

private final class Count: Sendable {
    private let number = Atomic(0)
    var value: Int {
        get { number.load(ordering: .relaxed) }
        set { number.store(newValue, ordering: .relaxed) }
    }
}
