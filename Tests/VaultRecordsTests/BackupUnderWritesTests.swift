import Dispatch
import Glibc
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

    /// The first write of a new vault, between the slices of a backup of it.
    @Test func theFirstWriteOfAllIsCaughtUpWith() async throws {
        let bench = try await Bench()
        let (records, connection, steps) = (bench.records, try bench.connection(), Count())
        let manifest = try await Backup.write(records, to: vaults.path("b")) { _, _ in
            steps.value += 1
            guard steps.value == 1 else { return }
            let isDone = Flag()
            Task {
                _ = try await records.write { try $0.put(connection, expecting: 0) }
                isDone.set()
            }
            while !isDone.isSet { usleep(500) }
        }
        #expect(manifest.connections == 1 && manifest.entries == 1)
        #expect(try Backup.verify(vaults.path("b"), rootKey: bench.key) { _, _ in } == manifest)
    }

    /// Deletes in a store without room, also behind the copy: each works, and a backup misses none.
    @Test func deletesInAFullStoreAreNotMissed() async throws {
        var options = LMDBStore.Options()
        options.quota = 2 << 20
        let store = try LMDBStore.create(at: folder.path + "/store", options: options)
        let bench = try await Bench(store)
        let records = bench.records
        var count = 0
        let failure = await code {
            while true {
                let some = try (count..<count + 20).map {
                    try bench.connection("\($0)", token: String(repeating: "x", count: 200))
                }
                try await records.write { for connection in some { try $0.put(connection, expecting: 0) } }
                count += some.count
            }
        }
        try #require(failure == .full && count > 1000)
        // Scattered, so that hardly a page becomes free.
        let deleted = Array(stride(from: 0, to: count, by: 2)) + stride(from: 1, to: count, by: 8)
        let next = Count()
        func backup(_ name: String) async throws -> VaultError.Code? {
            await code {
                let steps = Count()
                _ = try await Backup.write(records, to: vaults.path(name)) { _, _ in
                    steps.value += 1
                    guard steps.value <= 2 else { return }
                    let (isDone, range) = (Flag(), next.value..<min(next.value + 40, deleted.count))
                    next.value = range.upperBound
                    Task {
                        let failure = await code {
                            try await records.write { records in
                                for user in deleted[range] {
                                    _ = try records.delete(UserID("\(user)"), PlatformName("spotify"))
                                }
                            }
                        }
                        #expect(failure == nil)
                        isDone.set()
                    }
                    while !isDone.isSet { usleep(500) }
                }
            }
        }
        var round = 0
        while next.value < deleted.count {
            round += 1
            #expect(try await backup("b\(round)") == nil)
        }
        #expect(try bench.count(.records) == count - deleted.count)
        let manifest = try await vaults.backup(bench, "last").1
        #expect(manifest.connections == count - deleted.count)
        #expect(try records.verify().isSound)
        await store.close()
    }

    /// Thirty commits for each slice of the first half: it holds no snapshot, so pages are used again, and it is the
    /// vault of one moment all the same. Beside somebody who does hold one, the store has to grow.
    @Test(arguments: [false, true])
    func aSlowBackupLetsTheStoreGrowByNoMoreThanTheWritesThemselves(besideASnapshot isHeld: Bool) async throws {
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
        let (rounds, allowed) = (Count(), Count())
        if isHeld {
            let begun = Flag()
            // On a thread of its own: the few there are for tasks are needed.
            DispatchQueue.global().async {
                try? store.read { _ in
                    begun.set()
                    while !stop.isSet { usleep(500) }
                }
            }
            while !begun.isSet { usleep(500) }
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                defer { stop.set() }
                var round = 0
                while !stop.isSet {
                    guard round < allowed.value else {
                        try await Task.sleep(for: .microseconds(200))
                        continue
                    }
                    let start = round * 499 % 1475
                    try await put(start..<(start + 25), UInt64(round + 2))
                    round += 1
                    rounds.value = round
                }
            }
            defer { stop.set() }
            let backup = try await Backup.write(bench.records, to: vaults.path("b")) { done, total in
                guard done < total / 2 - 1 else { return }
                allowed.value += 30
                while rounds.value < allowed.value, !stop.isSet { usleep(500) }
            }
            stop.set()
            try await group.waitForAll()
            #expect(backup.entries > 1500, "changes were caught up with")
        }
        #expect(rounds.value > 120 && rounds.value == allowed.value)
        let growth = try store.statistics().fileBytes - before
        // 120 commits of 25 scattered records free some 15 MB of pages; a snapshot keeps them all.
        #expect(isHeld ? growth > 8 << 20 : growth < 4 << 20, "grew by \(growth >> 10) KiB in \(rounds.value) commits")
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
