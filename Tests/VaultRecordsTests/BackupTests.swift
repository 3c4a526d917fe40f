import Synchronization
import Testing
import VaultBase
import VaultCrypto
import VaultRecords
import VaultStore

@Suite struct BackupTests {
    let vaults: BackupBench
    var folder: Folder { vaults.folder }
    init() throws { vaults = try BackupBench() }

    @Test func whatWasBackedUpComesBack() async throws {
        let bench = try await vaults.filled()
        let (path, manifest) = try await vaults.backup(bench)
        #expect(manifest.connections == 4)
        #expect(manifest.entries == 7)
        #expect(manifest.sequence == (try bench.records.status().sequence))
        #expect(manifest.bytes == (try folder.read("b").count))
        #expect(try folder.mode("b") == 0o600)
        #expect(try folder.names() == ["b"])
        #expect(try Backup.verify(path, rootKey: bench.key) { _, _ in } == manifest)
        let inspection = try Backup.inspect(path)
        #expect(inspection.end == manifest.end)
        #expect(inspection.entries == 7)
        #expect(inspection.recipients == ["vault"] && inspection.since == nil)

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
        #expect(try records.due(before: bench.now + .seconds(60), limit: 9).map(\.user.rawValue) == ["ada"])
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
        let bench = try await vaults.filled()
        var dead = try bench.connection("dead", "github")
        dead.health = .reconnect(reason: "revoked")
        var tokenless = try bench.connection("tokenless", "github")
        tokenless.refreshToken = nil
        try await bench.put(dead)
        try await bench.put(tokenless)
        let (path, _) = try await vaults.backup(bench)
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

    @Test func anotherKeyIsAWrongKey() async throws {
        let bench = try await vaults.filled()
        let (path, _) = try await vaults.backup(bench)
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
        let bench = try await vaults.filled()
        let (path, _) = try await vaults.backup(bench)
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
        let bench = try await vaults.filled()
        let (path, _) = try await vaults.backup(bench)
        #expect(
            await code {
                _ = try await Backup.restore(path, into: bench.store, rootKey: bench.key, isSingleUse: { _ in true }) {
                    _, _ in
                }
            } == .conflict)
        #expect(try bench.get() != nil)
    }

    @Test func aBackupReplacesNoFileAndLeavesNothingOnError() async throws {
        let bench = try await vaults.filled()
        try folder.write([1, 2, 3], to: "b")
        #expect(await code { _ = try await vaults.backup(bench) } == .conflict)
        #expect(try folder.read("b") == [1, 2, 3])
        #expect(await code { _ = try await vaults.backup(bench, "missing/b") } == .file)
        #expect(try folder.names() == ["b"])
        // A value that does not open: the backup is refused, names it, and is taken away again.
        let row = try bench.rows(.records)[0]
        var value = row.1
        value[value.count - 1] ^= 1
        try await bench.set(value, for: row.0, in: .records)
        do {
            _ = try await vaults.backup(bench, "c")
            Issue.record("accepted")
        } catch let error as VaultError {
            #expect(error.code == .damaged)
            #expect(error.message.contains("ada") && error.message.contains("github"))
        }
        #expect(try folder.names() == ["b"])
    }

    @Test func anEmptyVaultCanBeBackedUp() async throws {
        let bench = try await Bench()
        let (path, manifest) = try await vaults.backup(bench)
        #expect(manifest.connections == 0 && manifest.entries == 0)
        let store = MemoryStore()
        _ = try await Backup.restore(path, into: store, rootKey: bench.key, isSingleUse: { _ in true }) { _, _ in }
        #expect(try Records.open(store, rootKey: bench.key).verify().isSound)
    }

    @Test func progressEndsAtItsTotal() async throws {
        let bench = try await vaults.filled()
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

private final class Progress: Sendable {
    private let value = Mutex<[Int]>([])
    var last: [Int] { value.withLock { $0 } }
    func set(_ done: Int, _ total: Int) { value.withLock { $0 = [done, total] } }
}
