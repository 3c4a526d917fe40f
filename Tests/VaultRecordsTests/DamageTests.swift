import Testing
import VaultBase
import VaultCrypto
import VaultRecords
import VaultStore

/// What a disk, a bug or somebody with the file can do to a store, and that it is noticed.
@Suite struct DamageTests {
    private let spotify: PlatformName
    private let bench: Bench

    init() async throws {
        spotify = try PlatformName("spotify")
        bench = try await Bench()
        for user in ["ada", "bob", "cy"] {
            try await bench.put(bench.connection(user, endsAt: bench.now + .seconds(60), dueAt: bench.now))
        }
    }

    private func row(_ user: String) throws -> ([UInt8], [UInt8]) {
        try #require(try bench.rows(.records).first { $0.0.starts(with: user.utf8) })
    }

    @Test func anyChangedBitOfARecordIsDamageThatNamesIt() async throws {
        let (key, value) = try row("bob")
        for index in value.indices {
            var changed = value
            changed[index] ^= UInt8(1 << (index % 8))
            try await bench.set(changed, for: key, in: .records)
            do {
                _ = try bench.get("bob")
                Issue.record("byte \(index) was not noticed")
            } catch let error as VaultError {
                #expect(error.code == .damaged || index < 4 && error.code == .newerFormat, "byte \(index)")
                #expect(error.message.contains("bob") && error.message.contains("spotify"))
            }
        }
        for count in stride(from: 0, to: value.count, by: 7) {
            try await bench.set(Array(value.prefix(count)), for: key, in: .records)
            #expect(await code { _ = try bench.get("bob") } == .damaged)
        }
    }

    @Test func aRecordMovedToAnotherUserOrPlatformDoesNotOpen() async throws {
        let (_, value) = try row("ada")
        for (user, platform) in [("bob", "spotify"), ("ada", "spotifx"), ("adas", "potify"), ("eve", "spotify")] {
            try await bench.set(value, for: Array("\(user)\0platform#\(platform)".utf8), in: .records)
            #expect(await code { _ = try bench.get(user, platform) } == .damaged)
        }
    }

    @Test func aRecordWithAnotherHeaderDoesNotOpen() async throws {
        let (key, value) = try row("ada")
        var later = value
        later.replaceSubrange(16..<24, with: [UInt8](repeating: 0, count: 8))
        var version = value
        version[8] ^= 1
        var term = value
        term[4] = 9
        let bob = try row("bob").1
        let other = Array(bob[..<24] + value[24...])
        for changed in [later, version, term, other] {
            try await bench.set(changed, for: key, in: .records)
            #expect(await code { _ = try bench.get("ada") } == .damaged)
        }
    }

    @Test func aRecordOfAnotherVaultDoesNotOpen() async throws {
        let other = try await Bench()
        try await other.put(other.connection("ada", endsAt: other.now + .seconds(60)))
        let foreign = try other.rows(.records)[0]
        try await bench.set(foreign.1, for: foreign.0, in: .records)
        #expect(await code { _ = try bench.get("ada") } == .damaged)
    }

    @Test func valuesOfOtherTablesAreNotRecords() async throws {
        let now = bench.now
        try await bench.records.write {
            try $0.begin(
                Redemption(user: UserID("ada"), platform: PlatformName("spotify"), generation: 1, begunAt: now))
        }
        let journal = try bench.rows(.journal)[0]
        let record = try row("ada")
        try await bench.set(journal.1, for: journal.0, in: .records)
        try await bench.set(record.1, for: record.0, in: .journal)
        #expect(await code { _ = try bench.get("ada") } == .damaged)
        #expect(
            await code { _ = try bench.records.read { try $0.redemption(UserID("ada"), PlatformName("spotify")) } }
                == .damaged)
    }

    @Test func oneDamagedRecordHidesNoOther() async throws {
        try await bench.put(bench.connection("bob", "github"))
        let (key, value) = try #require(try bench.rows(.records).first { $0.0 == Array("bob\0platform#spotify".utf8) })
        try await bench.set(Array(value.dropLast()), for: key, in: .records)
        var damaged: [ConnectionName?] = []
        var seen: [String] = []
        try bench.records.forEachConnection(damaged: { damaged.append($0.name) }) { connection in
            seen.append("\(connection.user)@\(connection.platform)")
            return true
        }
        #expect(damaged == [ConnectionName(user: try UserID("bob"), platform: spotify)])
        #expect(seen == ["ada@spotify", "bob@github", "cy@spotify"])
        var told = 0
        let rest = try bench.records.read { try $0.connections(of: UserID("bob"), damaged: { _ in told += 1 }) }
        #expect(rest.map(\.platform.rawValue) == ["github"] && told == 1)
        #expect(await code { _ = try bench.records.read { try $0.connections(of: UserID("bob")) } } == .damaged)
        #expect(await code { try bench.records.forEachConnection { _ in true } } == .damaged)
    }

    @Test func aDamagedRecordCanBeReplacedAndDeleted() async throws {
        for user in ["ada", "bob"] {
            let (key, value) = try row(user)
            var changed = value
            changed[100] ^= 1
            try await bench.set(changed, for: key, in: .records)
        }
        let again = try bench.connection("ada")
        #expect(await code { try await bench.put(again, expecting: 0) } == .damaged)
        try await bench.put(again)
        #expect(try bench.get("ada") != nil)
        let (bob, spotify) = (try UserID("bob"), try PlatformName("spotify"))
        #expect(try await bench.records.write { try $0.deleteConnections(of: bob, at: spotify) } == [spotify])
        #expect(try await bench.records.write { try $0.deleteConnections(of: bob, at: spotify) } == [])
        #expect(try bench.get("bob") == nil)
        // Their index entries are gone with them, wherever they were.
        #expect(try bench.count(.expiry) == 1 && bench.count(.due) == 1)
        #expect(try bench.records.verify().problems == [])
    }

    @Test func aUserIsDeletedWithWhatEndedAndWhatDoesNotOpen() async throws {
        try await bench.put(bench.connection("bob", "github", endsAt: bench.now + .seconds(1)))
        let (key, value) = try #require(try bench.rows(.records).first { $0.0 == Array("bob\0platform#spotify".utf8) })
        try await bench.set(Array(value.dropLast()), for: key, in: .records)
        try await bench.put(bench.connection("bob", "tidal"))
        bench.clock.advance(.seconds(2))
        let bob = try UserID("bob")
        #expect(try await bench.records.write { try $0.deleteConnections(of: bob).count } == 3)
        #expect(try bench.rows(.records).allSatisfy { !$0.0.starts(with: "bob".utf8) })
        #expect(try bench.get("ada") != nil && bench.get("cy") != nil)
        #expect(try bench.records.verify().problems == [])
    }

    // The whole

    @Test func checkingASoundVaultFindsNothing() async throws {
        let report = try bench.records.verify()
        #expect(report.isSound)
        #expect(report.status.connections == 3)
        #expect(report.status.terms.map(\.values) == [3])
    }

    @Test func aDroppedRecordIsNoticed() async throws {
        let key = try row("bob").0
        try await bench.store.write { _ = try $0.delete(key.span.bytes, in: .records) }
        #expect(try bench.records.verify().problems.contains { $0.kind == .contents })
    }

    @Test func anOldVersionPutBackIsNoticed() async throws {
        let old = try row("bob")
        try await bench.put(bench.connection("bob", endsAt: bench.now + .seconds(60), dueAt: bench.now))
        try await bench.set(old.1, for: old.0, in: .records)
        // Its seal is good: only the whole knows better.
        #expect(try bench.get("bob") != nil)
        #expect(try bench.records.verify().problems.contains { $0.kind == .contents })
    }

    @Test func aLostOrStrangeIndexEntryIsNoticed() async throws {
        let entry = try bench.rows(.due)[0]
        try await bench.store.write { _ = try $0.delete(entry.0.span.bytes, in: .due) }
        #expect(try bench.records.verify().problems.map(\.kind) == [.index])
        try await bench.set(entry.1, for: entry.0, in: .due)
        #expect(try bench.records.verify().isSound)
        try await bench.set(entry.1, for: entry.0 + [1], in: .due)
        #expect(try bench.records.verify().problems.map(\.kind) == [.index])
    }

    @Test func aDamagedRecordIsNamedByTheCheck() async throws {
        let (key, value) = try row("bob")
        var changed = value
        changed[200] ^= 1
        try await bench.set(changed, for: key, in: .records)
        let problems = try bench.records.verify().problems
        #expect(problems.contains { $0.kind == .damaged && $0.name?.user.rawValue == "bob" })
    }

    // Opening

    @Test func openingSaysWhatIsWrong() async throws {
        let other = try GuardedKey.generate()
        #expect(await code { _ = try Records.open(MemoryStore(), rootKey: bench.key) } == .noStore)
        #expect(await code { _ = try Records.open(bench.store, rootKey: other) } == .wrongKey)
        #expect(await code { _ = try await Records.create(in: bench.store, rootKey: other) } == .conflict)
        let keyring = try bench.rows(.keyring)[0]
        let state = try bench.rows(.state)[0]
        var newer = state.1
        newer[0] = 2
        try await bench.set(newer, for: state.0, in: .state)
        #expect(await code { _ = try bench.reopened() } == .newerFormat)
        for index in state.1.indices.dropFirst() {
            var changed = state.1
            changed[index] ^= 1
            try await bench.set(changed, for: state.0, in: .state)
            #expect(await code { _ = try bench.reopened() } == .damaged)
        }
        try await bench.set(state.1, for: state.0, in: .state)
        #expect(try bench.reopened().verify().isSound)
        var changed = keyring.1
        changed[60] ^= 1
        try await bench.set(changed, for: keyring.0, in: .keyring)
        #expect(await code { _ = try bench.reopened() } == .damaged)
        try await bench.store.write { _ = try $0.delete(state.0.span.bytes, in: .state) }
        try await bench.set(keyring.1, for: keyring.0, in: .keyring)
        #expect(await code { _ = try bench.reopened() } == .damaged)
    }

    @Test func valuesComeInFewSizes() async throws {
        let classes = [298, 468, 638, 978, 1318, 1998, 4080, 8176, 12272, 16368]
        var sizes: Set<Int> = []
        for length in [0, 40, 41, 200, 400, 700, 1000, 1500, 2000, 4000, 8000, 12_000, 16_000] {
            try await bench.put(bench.connection("size", token: String(repeating: "x", count: length)))
            #expect(try bench.get("size")?.accessToken.count == length)
            sizes.insert(try row("size").1.count)
        }
        #expect(sizes.isSubset(of: classes) && sizes.count >= 8)
    }
}
