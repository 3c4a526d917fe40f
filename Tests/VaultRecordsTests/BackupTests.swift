#if canImport(Glibc)
    import Glibc
#endif
import Synchronization
import Testing
import VaultBase
import VaultCrypto
import VaultRecords
import VaultStore

@Suite struct BackupTests {
    let folder: Folder
    init() throws { folder = try Folder() }

    /// Three users, an ended connection, an account, an unfinished refresh, a session and a login.
    private func filled() async throws -> Bench {
        let bench = try await Bench()
        let now = bench.now
        let connections = [
            try bench.connection("ada", "spotify", dueAt: now + .seconds(5)),
            try bench.connection("ada", "github", endsAt: now + .seconds(60)),
            try bench.connection("bob", "spotify"), try bench.connection("cy", "github", endsAt: now),
        ]
        let (session, login) = (try bench.session(), try bench.login())
        try await bench.records.write { records in
            for connection in connections { try records.put(connection, expecting: 0) }
            try records.setUser(UserID("ada"), of: "account-of-ada", at: PlatformName("spotify"))
            try records.begin(
                Redemption(user: UserID("bob"), platform: PlatformName("spotify"), generation: 1, begunAt: now))
            try records.put(session)
            try records.put(login)
        }
        return bench
    }

    /// As little as can be: a backup of it is changed at every byte.
    private func small() async throws -> Bench {
        let bench = try await Bench()
        try await bench.put(bench.connection())
        return bench
    }

    private func backup(_ bench: Bench, _ name: String = "b") async throws -> (String, Backup.Manifest) {
        let path = folder.path + "/" + name
        return (path, try await Backup.write(bench.records, to: path) { _, _ in })
    }

    @Test func whatWasBackedUpComesBack() async throws {
        let bench = try await filled()
        let (path, manifest) = try await backup(bench)
        #expect(manifest.connections == 4)
        #expect(manifest.users == 3)
        #expect(manifest.sequence == (try bench.records.status().sequence))
        #expect(manifest.bytes == (try folder.read("b").count))
        #expect(try folder.mode("b") == 0o600)
        #expect(try folder.names() == ["b"])
        #expect(try Backup.verify(path, rootKey: bench.key) { _, _ in } == manifest)
        let inspection = try Backup.inspect(path)
        #expect(inspection.sequence == manifest.sequence)
        #expect(inspection.entries == 7)
        #expect(inspection.slots == 1)

        let store = MemoryStore()
        let restored = try await Backup.restore(path, into: store, rootKey: bench.key, isSingleUse: { _ in false }) {
            _, _ in
        }
        #expect(restored == manifest)
        let records = try Records.open(store, rootKey: bench.key, clock: bench.clock)
        #expect(try records.verify().problems == [])
        #expect(try records.status().restores == 1)
        let ada = try records.read { try $0.connection(UserID("ada"), PlatformName("spotify")) }
        #expect(ada == (try bench.get()))
        #expect(try records.read { try $0.user(of: "account-of-ada", at: PlatformName("spotify")) } == UserID("ada"))
        // Ended then, ended now; swept like any other.
        #expect(try records.read { try $0.connection(UserID("cy"), PlatformName("github")) } == nil)
        #expect(
            try await records.sweep(grace: .zero, limit: 10, dryRun: false).connections.map(\.user.rawValue) == ["cy"])
        #expect(try records.due(before: bench.now + .seconds(60), limit: 9).map(\.0.rawValue) == ["ada"])
        // Sessions and logins stay behind; what was being redeemed is uncertain.
        #expect(try records.read { try $0.session("s1") } == nil)
        #expect(try records.read { try $0.login("state-1") } == nil)
        #expect(try records.read { try $0.redemptions() }.isEmpty)
        #expect(try records.read { try $0.connection(UserID("bob"), PlatformName("spotify"))?.health } == .uncertain)
        // Versions go on above anything the old vault ever wrote.
        let next = try bench.connection("dora")
        #expect(try await records.write { try $0.put(next, expecting: 0) } > manifest.sequence + (1 << 32))
    }

    @Test func singleUseGrantsBecomeUncertain() async throws {
        let bench = try await filled()
        var dead = try bench.connection("dead", "github")
        dead.health = .reconnect(reason: "revoked")
        var tokenless = try bench.connection("tokenless", "github")
        tokenless.refreshToken = nil
        try await bench.put(dead)
        try await bench.put(tokenless)
        let (path, _) = try await backup(bench)
        let store = MemoryStore()
        _ = try await Backup.restore(path, into: store, rootKey: bench.key, isSingleUse: { $0.rawValue == "github" }) {
            _, _ in
        }
        let records = try Records.open(store, rootKey: bench.key, clock: bench.clock)
        func health(_ user: String, _ platform: String) throws -> Health? {
            try records.read { try $0.connection(UserID(user), PlatformName(platform))?.health }
        }
        #expect(try health("ada", "github") == .uncertain)
        #expect(try health("ada", "spotify") == .healthy)
        #expect(try health("dead", "github") == .reconnect(reason: "revoked"))
        #expect(try health("tokenless", "github") == .healthy)
        #expect(try records.verify().problems == [])
    }

    @Test func anyChangedByteIsRefused() async throws {
        let bench = try await small()
        let (path, _) = try await backup(bench)
        let bytes = try folder.read("b")
        let changed = folder.path + "/changed"
        for index in bytes.indices {
            var copy = bytes
            copy[index] ^= UInt8(1 << (index % 8))
            try folder.write(copy, to: "changed")
            let refusal = await code { _ = try Backup.verify(changed, rootKey: bench.key) { _, _ in } }
            #expect(refusal == .damaged || index < 6 && refusal == .newerFormat, "byte \(index): \(refusal as Any)")
        }
        #expect(try Backup.verify(path, rootKey: bench.key) { _, _ in }.connections == 1)
    }

    /// A reader without seals and without the last chunk's mark: `inspect` reads the head alone.
    @Test func theseTestsWouldNoticeAReaderThatDoesNotReadToTheEnd() async throws {
        let bench = try await small()
        let (_, _) = try await backup(bench)
        let bytes = try folder.read("b")
        let changed = folder.path + "/changed"
        var missed = 0
        for index in bytes.indices {
            var copy = bytes
            copy[index] ^= UInt8(1 << (index % 8))
            try folder.write(copy, to: "changed")
            if await code({ _ = try Backup.inspect(changed) }) == nil { missed += 1 }
        }
        #expect(missed > 0)
        try folder.write(Array(bytes.dropLast()), to: "changed")
        #expect(await code { _ = try Backup.inspect(changed) } == nil)
    }

    @Test func anyTruncationAndAnyAdditionIsRefused() async throws {
        let bench = try await small()
        let (_, _) = try await backup(bench)
        let bytes = try folder.read("b")
        let cut = folder.path + "/cut"
        for count in 0..<bytes.count {
            try folder.write(Array(bytes.prefix(count)), to: "cut")
            #expect(await code { _ = try Backup.verify(cut, rootKey: bench.key) { _, _ in } } == .damaged, "\(count)")
        }
        for more in [[0], [UInt8](repeating: 1, count: 40), bytes] {
            try folder.write(bytes + more, to: "cut")
            #expect(await code { _ = try Backup.verify(cut, rootKey: bench.key) { _, _ in } } == .damaged)
        }
    }

    /// Several chunks: cut and extended at, before and after each border, and with two chunks exchanged.
    @Test func chunksCannotBeCutSwappedOrRepeated() async throws {
        let bench = try await Bench()
        let connections = try (0..<30).map {
            try bench.connection("u\($0)", token: String(repeating: "x", count: 8_000))
        }
        try await bench.records.write { for connection in connections { try $0.put(connection, expecting: 0) } }
        let (path, manifest) = try await backup(bench)
        #expect(try Backup.verify(path, rootKey: bench.key) { _, _ in } == manifest)
        let bytes = try folder.read("b")
        let chunk = 65536 + 17
        let other = folder.path + "/other"
        func refused(_ copy: [UInt8]) async throws {
            try folder.write(copy, to: "other")
            #expect(await code { _ = try Backup.verify(other, rootKey: bench.key) { _, _ in } } == .damaged)
        }
        #expect(bytes.count > 3 * chunk)
        let stream = try #require(streamStart(bytes))
        for index in 0...(bytes.count - stream) / chunk {
            let border = stream + index * chunk
            for position in [border - 1, border, border + 1, border + 17] where position < bytes.count {
                try await refused(Array(bytes[..<position]))
            }
        }
        let first = bytes[stream..<(stream + chunk)]
        let second = bytes[(stream + chunk)..<(stream + 2 * chunk)]
        try await refused(Array(bytes[..<stream] + second + first + bytes[(stream + 2 * chunk)...]))
        try await refused(Array(bytes[..<(stream + chunk)] + first + bytes[(stream + chunk)...]))
        try await refused(Array(bytes[..<stream] + bytes[(stream + chunk)...]))
    }

    /// A last chunk that is as long as any: nothing but the end of the file tells that it is the last.
    @Test func nothingMayFollowAFullLastChunk() async throws {
        let bench = try await Bench()
        for index in 0..<5 {
            try await bench.put(bench.connection("u\(index)", token: String(repeating: "x", count: 9_000)))
        }
        try await bench.put(bench.connection("v"))
        _ = try await backup(bench, "first")
        let first = try folder.read("first")
        let stream = try #require(streamStart(first))
        var missing = 65536 - (first.count - stream - 17)
        // Each further user takes this much and the length of its name.
        let each = 6 + 1 + 16 + (try #require(try bench.rows(.records).last).1.count)
        let more = missing / (each + 60)
        for index in 0..<more {
            let length = (missing - each * (more - index)) / (more - index)
            var connection = try bench.connection("w\(index)" + String(repeating: "-", count: length - 2))
            connection.subject = "same"
            try await bench.put(connection)
            missing -= each + length
        }
        let (path, manifest) = try await backup(bench, "full")
        let full = try folder.read("full")
        #expect(full.count - stream == 65536 + 17)
        #expect(try Backup.verify(path, rootKey: bench.key) { _, _ in } == manifest)
        let longer = folder.path + "/longer"
        for addition in [1, 17, 18, 65536 + 17] {
            try folder.write(full + [UInt8](repeating: 0, count: addition), to: "longer")
            #expect(await code { _ = try Backup.verify(longer, rootKey: bench.key) { _, _ in } } == .damaged)
        }
    }

    /// Where the chunks begin: after the header, whose length stands in it.
    private func streamStart(_ bytes: [UInt8]) -> Int? {
        guard bytes.count > 72 else { return nil }
        let keyring = Int(bytes[68]) | Int(bytes[69]) << 8
        return 72 + keyring + 16 + 32 + 24
    }

    @Test func anotherKeyIsAWrongKey() async throws {
        let bench = try await filled()
        let (path, _) = try await backup(bench)
        let other = try GuardedKey.generate()
        #expect(await code { _ = try Backup.verify(path, rootKey: other) { _, _ in } } == .wrongKey)
        let store = MemoryStore()
        #expect(
            await code {
                _ = try await Backup.restore(path, into: store, rootKey: other, isSingleUse: { _ in true }) { _, _ in }
            } == .wrongKey)
        #expect(try store.statistics().counts.values.allSatisfy { $0 == 0 })
    }

    @Test func aDamagedBackupLeavesTheStoreEmpty() async throws {
        let bench = try await filled()
        let (path, _) = try await backup(bench)
        var bytes = try folder.read("b")
        bytes[bytes.count - 3] ^= 1
        try folder.write(bytes, to: "b")
        let store = MemoryStore()
        #expect(
            await code {
                _ = try await Backup.restore(path, into: store, rootKey: bench.key, isSingleUse: { _ in true }) {
                    _, _ in
                }
            } == .damaged)
        #expect(try store.statistics().counts.values.allSatisfy { $0 == 0 })
    }

    @Test func restoringReplacesNothing() async throws {
        let bench = try await filled()
        let (path, _) = try await backup(bench)
        #expect(
            await code {
                _ = try await Backup.restore(path, into: bench.store, rootKey: bench.key, isSingleUse: { _ in true }) {
                    _, _ in
                }
            } == .conflict)
        #expect(try bench.get() != nil)
    }

    @Test func aBackupReplacesNoFileAndLeavesNothingOnError() async throws {
        let bench = try await filled()
        try folder.write([1, 2, 3], to: "b")
        #expect(await code { _ = try await backup(bench) } == .conflict)
        #expect(try folder.read("b") == [1, 2, 3])
        #expect(await code { _ = try await backup(bench, "missing/b") } == .file)
        #expect(try folder.names() == ["b"])
        // A value that does not open: the backup is refused, names it, and is taken away again.
        let row = try bench.rows(.records)[0]
        var value = row.1
        value[value.count - 1] ^= 1
        try await bench.set(value, for: row.0, in: .records)
        do {
            _ = try await backup(bench, "c")
            Issue.record("accepted")
        } catch let error as VaultError {
            #expect(error.code == .damaged)
            #expect(error.message.contains("ada") && error.message.contains("github"))
        }
        #expect(try folder.names() == ["b"])
    }

    @Test func anEmptyVaultCanBeBackedUp() async throws {
        let bench = try await Bench()
        let (path, manifest) = try await backup(bench)
        #expect(manifest.connections == 0 && manifest.users == 0)
        let store = MemoryStore()
        _ = try await Backup.restore(path, into: store, rootKey: bench.key, isSingleUse: { _ in true }) { _, _ in }
        #expect(try Records.open(store, rootKey: bench.key).verify().isSound)
    }

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
            for number in 0..<5 {
                let (path, _) = try await backup(bench, "b\(number)")
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

    @Test func progressEndsAtItsTotal() async throws {
        let bench = try await filled()
        let seen = Progress()
        let path = folder.path + "/b"
        _ = try await Backup.write(bench.records, to: path) { seen.set($0, $1) }
        #expect(seen.last == [14, 14])
        _ = try await Backup.restore(path, into: MemoryStore(), rootKey: bench.key, isSingleUse: { _ in true }) {
            seen.set($0, $1)
        }
        #expect(seen.last == [14, 14])
    }
}

private final class Flag: Sendable {
    private let value = Atomic(false)
    var isSet: Bool { value.load(ordering: .relaxed) }
    func set() { value.store(true, ordering: .relaxed) }
}

private final class Progress: Sendable {
    private let value = Mutex<[Int]>([])
    var last: [Int] { value.withLock { $0 } }
    func set(_ done: Int, _ total: Int) { value.withLock { $0 = [done, total] } }
}
