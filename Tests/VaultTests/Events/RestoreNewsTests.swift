import Testing
import VaultBase
import VaultCrypto
import VaultProviders
import VaultRecords
import VaultStore

@testable import Vault

#if canImport(Glibc)
    import Glibc
#endif

/// What is told after a restore, and how much of it at once.
@Suite struct RestoreNewsTests {
    /// A vault restored from a backup of so many users' grants, whose tokens can be used once; all times are now.
    private func restored(
        users: Int, options change: (inout VaultOptions) -> Void = { _ in }
    ) async throws -> (World, Records) {
        let world = try await World(options: change)
        for number in 0..<users { try await world.logIn("user\(number)") }
        var template = Array("/tmp/vault-news-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        let folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let path = folder + "/backup"
        defer {
            unlink(path)
            rmdir(folder)
        }
        _ = try await Backup.write(world.records, to: path, for: [.vault]) { _, _ in }
        let store = MemoryStore()
        _ = try await OpenBackup([path], with: .key(world.key)).restore(
            into: store, isSingleUse: { _ in true }, progress: { _, _ in })
        let records = try Records.open(store, rootKey: world.key, clock: world.clock)
        return (world, records)
    }

    private func vault(_ world: World, _ records: Records, _ receiver: Receiver? = nil) -> Vault {
        Vault(
            records: records, platforms: world.directory, transport: world.provider, options: world.options,
            logger: world.logs.logger, webhooks: receiver)
    }

    private func news(_ records: Records) throws -> [EventRecord] {
        try records.read { try $0.events(limit: .max) }.filter { $0.kind == .uncertain }
    }

    @Test func everyGrantThatBecameUncertainIsToldOnceAcrossRestarts() async throws {
        let (world, records) = try await restored(users: 3, options: { $0.webhooks = [Receiver.webhook()] })
        let receiver = Receiver()
        let first = vault(world, records, receiver)
        for _ in 0..<3 { try await first.tellRestored() }
        for _ in 0..<3 { try await vault(world, records, receiver).tellRestored() }
        let news = try news(records)
        #expect(Set(news.map(\.user)).count == 3 && news.count == 3)
        #expect(news.allSatisfy { $0.facts.reason == "restored" })
        try await world.tellAll(first)
        let told = receiver.told.filter { $0.type == "connection.uncertain" }
        #expect(told.count == 3)
        #expect(told.allSatisfy { $0.body.contains(#""reason":"restored","reconnectUrl":"https://app.example""#) })
        #expect(try records.verify().isSound)
    }

    @Test func notAllAreToldAtOnce() async throws {
        let (world, records) = try await restored(users: RestoreNews.batch * 2 + 1)
        let vault = vault(world, records)
        var counts: [Int] = []
        for _ in 0..<4 {
            try await vault.tellRestored()
            counts.append(try news(records).count)
        }
        #expect(counts == [64, 128, 129, 129])
    }

    @Test func noOtherEventIsPushedOut() async throws {
        let (world, records) = try await restored(users: 9, options: { $0.eventLimit = 10 })
        let vault = vault(world, records)
        // Nine users have connected, of which nobody was told yet.
        #expect(try records.read { try $0.pendingEventCount(limit: 100) } == 9)
        for _ in 0..<5 { try await vault.tellRestored() }
        #expect(try news(records).isEmpty)
        // Once they were, there is room, for half of the limit at a time.
        var seen: Set<UserID> = []
        for _ in 0..<3 {
            try await world.tellAll(vault)
            try await vault.tellRestored()
            #expect(try records.read { try $0.pendingEventCount(limit: 100) } <= 5)
            seen.formUnion(try news(records).map(\.user))
        }
        #expect(seen.count == 9)
    }

    @Test func withoutARestoreThereIsNothingToTell() async throws {
        let world = try await World()
        let user = try await world.logIn("alice").record.user
        try await world.update(user) { $0.health = .uncertain }
        try await world.vault.tellRestored()
        #expect(try world.happened == ["connection.connected"])
    }
}
