import Glibc
import MetricsTestKit
import TestFolders
import Testing
import VaultBase
import VaultCrypto
import VaultRecords
import VaultStore

@testable import Vault

/// Backups that the service makes by itself: when, which stay, and that each of those can be restored.
@Suite struct ScheduledBackupTests {
    private let folder: String
    private let world: World

    /// A full one a day, an increment every six hours, two full ones stay.
    init() async throws {
        let place = try #require(TestFolder.make("backups"))
        folder = place
        world = try await World(options: {
            $0.backups = BackupSchedule(
                directory: place, every: .seconds(86400), incrementEvery: .seconds(6 * 3600), keep: 2,
                recipients: [.vault])
        })
    }

    private var items: [BackupFolder.Item] {
        get throws { try BackupFolder(folder, vaultID: world.records.status().vaultID).items() }
    }

    private var names: [String] { get throws { try items.map(\.path) } }

    /// The full backup that `item` hangs on, and every increment up to it.
    private func chain(_ item: BackupFolder.Item, _ items: [BackupFolder.Item]) throws -> [String] {
        guard let since = item.inspection.since else { return [item.path] }
        guard let before = items.first(where: { $0.inspection.end == since }) else { throw Lost() }
        return try chain(before, items) + [item.path]
    }

    private struct Lost: Error {}

    private func isLost(_ item: BackupFolder.Item, _ items: [BackupFolder.Item]) throws -> Bool {
        do { _ = try chain(item, items) } catch is Lost { return true }
        return false
    }

    private func users(_ paths: [String]) async throws -> Set<String> {
        let store = MemoryStore()
        _ = try await OpenBackup(paths, with: .key(world.key))
            .restore(into: store, isSingleUse: { _ in false }) { _, _ in }
        return try users(Records.open(store, rootKey: world.key))
    }

    private func users(_ records: Records) throws -> Set<String> {
        var users: Set<String> = []
        try records.forEachConnection {
            users.insert($0.user.rawValue)
            return true
        }
        return users
    }

    private func pass(_ hours: Int) async throws {
        world.clock.advance(.seconds(hours * 3600))
        try await put("user-\(try users(world.records).count)")
        try await world.vault.backUpWhenDue()
    }

    private func put(_ user: String) async throws {
        let now = world.clock.now()
        let connection = Connection(
            user: try UserID(user), platform: World.first, accessToken: Secret("access"), scope: "read",
            createdAt: now, updatedAt: now, consentedAt: now, subject: user, clientID: "client")
        try await world.records.write { _ = try $0.put(connection, expecting: 0) }
    }

    private func remove() { TestFolder.remove(folder) }

    @Test func theNewestStayEachWithItsIncrementsAndAllCanBeRestored() async throws {
        defer { remove() }
        var held: [String: Set<String>] = [:]
        for step in 0..<36 {
            // Every three hours, of which every second one is none of the schedule's.
            try await pass(3)
            let items = try items
            if let newest = items.last, held[newest.path] == nil { held[newest.path] = try users(world.records) }
            let fulls = items.filter(\.isFull)
            #expect(fulls.count == min(step / 8 + 1, 2))
            #expect(items.first?.isFull == true)
            #expect(items.count == (fulls.count - 1) * 4 + step % 8 / 2 + 1)
        }
        #expect(held.count == 18)
        let items = try items
        for item in items { #expect(try await users(chain(item, items)) == held[item.path]) }
        // This test would notice a full backup that went before its increments.
        unlink(try #require(items.first).path)
        let rest = try self.items
        #expect(try isLost(rest[0], rest))
        #expect(try !isLost(rest[4], rest))
    }

    @Test func whatAnIncrementNeedsStaysWhereItCannotBeRemoved() async throws {
        defer { remove() }
        for _ in 0..<16 { try await pass(3) }
        let items = try items
        #expect(items.map(\.isFull) == [true, false, false, false, true, false, false, false])
        let folder = try BackupFolder(folder, vaultID: world.records.status().vaultID)
        var asked: [String] = []
        let removed = try folder.thinOut(keeping: 1) { path in
            asked.append(path)
            return path != items[2].path
        }
        #expect(asked == [items[3].path, items[2].path])
        #expect(removed == [items[3].path])
    }

    @Test func oneThatFailsRemovesNothingAndIsTriedAgain() async throws {
        defer { remove() }
        for _ in 0..<5 { try await pass(12) }
        let before = try names
        #expect(try items.filter(\.isFull).count == 2)
        let end = try #require(try items.last).inspection.end
        // A connection that does not open: the full backup that is due next is refused by its own verification.
        let (key, value) = try #require(try row())
        var damaged = value
        damaged[value.count - 1] ^= 1
        try await set(damaged, for: key)
        world.clock.advance(.seconds(86400))
        await #expect(throws: VaultError.self) { try await world.vault.backUpWhenDue() }
        #expect(try names == before)
        // For ten minutes nothing is tried, though it would work now.
        try await set(value, for: key)
        world.clock.advance(.seconds(599))
        try await world.vault.backUpWhenDue()
        #expect(try names == before)
        world.clock.advance(.seconds(1))
        try await world.vault.backUpWhenDue()
        let after = try items
        #expect(after.filter(\.isFull).count == 2 && after.first?.path != before.first)
        #expect(after.last?.isFull == true && after.last?.inspection.end == end)
        #expect(world.count("vault_backups_total", ("outcome", "failed")) == 1)
    }

    @Test func anIncrementThatCannotBeMadeIsAFullBackup() async throws {
        defer { remove() }
        try await pass(6)
        try await pass(6)
        #expect(try items.map(\.isFull) == [true, false])
        // The change log is not what it was: nothing leads back to the last one any more.
        world.clock.advance(.seconds(6 * 3600))
        try await put("one-more")
        try await dropChanges()
        try await world.vault.backUpWhenDue()
        #expect(try items.map(\.isFull) == [true, false, true])
        #expect(try await users([try names[2]]) == users(world.records))
        // And the next one follows that.
        try await pass(6)
        #expect(try chain(items[3], items) == [names[2], names[3]])
    }

    /// A drill that tried an older backup instead would call it good.
    @Test func whatLooksNewestAndCannotBeRestoredIsNamed() async throws {
        defer { remove() }
        for _ in 0..<3 { try await pass(6) }
        let backups = try BackupFolder(folder, vaultID: world.records.status().vaultID)
        let whole = try names
        #expect(try backups.newestToTry().map(\.path) == whole)
        func refused() -> BackupFolder.Stray? {
            do { _ = try backups.newestToTry() } catch { return error as? BackupFolder.Stray }
            return nil
        }
        // Gone from the middle: nothing leads to the last one. Gone from the end: nobody can know.
        #expect(rename(whole[1], folder + "/elsewhere") == 0)
        #expect(refused()?.path == whole[2])
        #expect(refused()?.error.message == "the backup that \(whole[2]) follows is not there")
        #expect(rename(folder + "/elsewhere", whole[1]) == 0)
        // Each of them cut off in turn, and one that is older than all of them.
        for cut in whole {
            let copy = folder + "/copy"
            #expect(rename(cut, copy) == 0)
            close(open(cut, O_WRONLY | O_CREAT | O_TRUNC, 0o600))
            #expect(refused()?.path == whole[2])
            if cut == whole[2] {
                #expect(refused()?.error.message == "\(cut) cannot be read as a backup")
                #expect(refused()?.error.hint?.contains(whole[1]) == true)
            }
            #expect(rename(copy, cut) == 0)
        }
        let old = try #require(whole.first).split(separator: "/").last?.prefix("vault-00000000-".count) ?? ""
        close(open("\(folder)/\(old)20000101T000000Z-full.backup", O_WRONLY | O_CREAT, 0o600))
        #expect(try backups.newestToTry().map(\.path) == whole)
    }

    /// What there is holds everything: no file is made of nothing, its age is today's, and the next change is due.
    @Test func anIdleVaultGetsNoEmptyIncrements() async throws {
        defer { remove() }
        try await pass(0)
        let full = try names
        func idle(_ hours: Int) async throws {
            world.clock.advance(.seconds(hours * 3600))
            try await world.vault.backUpWhenDue()
        }
        for count in 1...2 {
            try await idle(6)
            #expect(try names == full)
            #expect(try world.records.last(.backup)?.at == world.clock.now())
            #expect(world.logs.lines.filter { $0.contains("backup.unchanged") }.count == count)
            try await idle(0)
            #expect(world.logs.lines.filter { $0.contains("backup.unchanged") }.count == count, "said once")
        }
        let measured = try world.metrics.expectGauge("vault_backup_last_timestamp_seconds").lastValue
        #expect(measured == Double(world.clock.now().seconds))
        // Not a minute later than after an increment.
        try await put("late")
        try await idle(5)
        #expect(try names == full)
        try await idle(1)
        #expect(try items.map(\.isFull) == [true, false])
        #expect(try await users(names) == ["user-0", "late"])
    }

    /// Nor on command: the age of the last one is today's all the same, as long as that is the one that was meant.
    @Test func anIncrementOfAnIdleVaultRenewsTheAgeOfTheLastBackup() async throws {
        defer { remove() }
        try await pass(0)
        let first = try #require(try names.first)
        world.clock.advance(.seconds(3600))
        var order = BackupOrder(path: "\(folder)/next", recipients: [])
        order.isIncrement = true
        let said = try await world.administration.all(.backup(order))
        guard case .notice? = said.first, said.count == 1 else { throw Unexpected("\(said)") }
        let mark = try world.records.last(.backup)
        #expect(mark?.at == world.clock.now() && mark?.file == first)
        #expect(try names == [first])
    }

    /// A clock that was a year ahead and was set right: neither no backup for a year nor one every half minute.
    @Test func aClockThatWasWrongDoesNotChangeHowMany() async throws {
        defer { remove() }
        try await pass(24)
        world.clock.advance(.seconds(365 * 86400))
        try await pass(0)
        world.clock.advance(.seconds(-365 * 86400))
        try await pass(1)
        #expect(try items.count == 3 - 1)
        let before = try names
        for _ in 0..<5 {
            world.clock.advance(BackupSchedule.interval)
            try await world.vault.backUpWhenDue()
        }
        #expect(try names == before)
        try await pass(6)
        #expect(try items.last?.isFull == false)
    }

    private func row() throws -> ([UInt8], [UInt8])? {
        try world.store.read { transaction in
            var row: ([UInt8], [UInt8])?
            try transaction.scan(.records, from: RawSpan()) { key, value in
                row = (key.withUnsafeBytes { Array($0) }, value.withUnsafeBytes { Array($0) })
                return false
            }
            return row
        }
    }

    private func set(_ value: [UInt8], for key: [UInt8]) async throws {
        try await world.store.write { try $0.put(value.span.bytes, for: key.span.bytes, in: .records) }
    }

    private func dropChanges() async throws {
        let keys = try world.store.read { transaction in
            var keys: [[UInt8]] = []
            try transaction.scan(.changes, from: RawSpan()) { key, _ in
                keys.append(key.withUnsafeBytes { Array($0) })
                return true
            }
            return keys
        }
        try await world.store.write { transaction in
            for key in keys { try transaction.delete(key.span.bytes, in: .changes) }
        }
    }
}
