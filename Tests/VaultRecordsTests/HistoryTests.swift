import Testing
import VaultBase
import VaultCrypto
import VaultRecords
import VaultStore

/// Random histories against a plain dictionary that does the same: every answer must agree, after every
/// few steps, after opening again, and after a backup was restored.
@Suite struct HistoryTests {
    @Test(arguments: [1, 2, 3, 4] as [UInt64]) func inMemory(seed: UInt64) async throws {
        let bench = try await Bench()
        var history = History(seed: seed)
        for _ in 0..<400 { try await history.step(bench, bench.records) }
        try history.compare(bench.reopened())
    }

    @Test(arguments: [11, 12] as [UInt64]) func onLMDBWithOpeningAgain(seed: UInt64) async throws {
        let folder = try Folder()
        let path = folder.path + "/store"
        let bench = try await Bench(LMDBStore.create(at: path))
        var history = History(seed: seed)
        var store = bench.store
        var records = bench.records
        for _ in 0..<4 {
            for _ in 0..<40 { try await history.step(bench, records) }
            await store.close()
            store = try LMDBStore.open(at: path)
            records = try Records.open(store, rootKey: bench.key, clock: bench.clock)
            try history.compare(records)
        }
        // What is being redeemed comes back uncertain; that has its own test.
        for name in history.journal {
            try await records.write { try $0.endRedemption(name.user, name.platform) }
        }
        let backup = folder.path + "/backup"
        _ = try await Backup.write(records, to: backup) { _, _ in }
        let second = try LMDBStore.create(at: folder.path + "/restored")
        _ = try await Backup.restore(backup, into: second, rootKey: bench.key, isSingleUse: { _ in false }) { _, _ in }
        let restored = try Records.open(second, rootKey: bench.key, clock: bench.clock)
        history.journal = []
        history.sessions = [:]
        try history.compare(restored)
        await second.close()
        await store.close()
    }
}

/// SplitMix64: the same history for the same seed.
private struct Dice: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

private struct History {
    var dice: Dice
    var steps = 0
    var connections: [ConnectionName: Connection] = [:]
    var sessions: [String: SessionRecord] = [:]
    var journal: Set<ConnectionName> = []
    var accounts: [ConnectionName: String] = [:]
    var rotations = 0
    var lastVersion: UInt64 = 0

    init(seed: UInt64) { dice = Dice(state: seed) }

    static let users = ["a", "ab", "b", "ü", "z z"]
    static let platforms = ["github", "spotify", "x"]
    static let subjects = ["one", "two", "drei ü"]

    private mutating func name() throws -> ConnectionName {
        ConnectionName(
            user: try UserID(Self.users.randomElement(using: &dice)!),
            platform: try PlatformName(Self.platforms.randomElement(using: &dice)!))
    }

    private func living(_ name: ConnectionName, _ now: Timestamp) -> Connection? {
        guard let connection = connections[name] else { return nil }
        if let endsAt = connection.endsAt, endsAt <= now { return nil }
        return connection
    }

    mutating func step(_ bench: Bench, _ records: Records) async throws {
        steps += 1
        let now = records.now
        #expect(try now >= bench.now && now >= records.status().lastWrite)
        switch Int.random(in: 0..<16, using: &dice) {
        case 0...4: try await put(bench, records, now)
        case 5:
            let name = try name()
            let deleted = try await records.write { try $0.delete(name.user, name.platform) }
            #expect(deleted == living(name, now))
            connections[name] = nil
            journal.remove(name)
            accounts[name] = nil
        case 6: bench.clock.advance(.milliseconds(Int.random(in: 0...400, using: &dice)))
        case 7: try await sweep(records, now, settled: min(bench.now, now))
        case 8:
            let name = try name()
            if Bool.random(using: &dice) {
                try await records.write {
                    try $0.begin(Redemption(user: name.user, platform: name.platform, generation: 1, begunAt: now))
                }
                journal.insert(name)
            } else {
                try await records.write { try $0.endRedemption(name.user, name.platform) }
                journal.remove(name)
            }
        case 9:
            let session = try bench.session(
                "s\(Int.random(in: 0..<6, using: &dice))", "ada",
                lasts: .milliseconds(Int.random(in: 0...2000, using: &dice)))
            try await records.write { try $0.put(session) }
            sessions[session.id] = session
        case 10:
            let ids = sessions.values.filter { $0.endsAt > now }.count
            #expect(try await records.write { try $0.deleteSessions(of: UserID("ada")) } == ids)
            sessions = [:]
        case 11: bench.clock.set(bench.now + .milliseconds(Int.random(in: -4000...1000, using: &dice)))
        case 12, 13: try await setUser(records)
        case 14 where rotations < 3:
            let rotation = try await records.rotate()
            #expect(rotation.damaged.isEmpty && rotation.destroyed.count == 1)
            rotations += 1
        default: try compare(records)
        }
        if steps % 40 == 0 { #expect(try records.verify().problems == []) }
    }

    private mutating func put(_ bench: Bench, _ records: Records, _ now: Timestamp) async throws {
        let name = try name()
        var connection = try bench.connection(
            name.user.rawValue, name.platform.rawValue,
            token: String(repeating: "t", count: Int.random(in: 0...3000, using: &dice)))
        if Bool.random(using: &dice) {
            connection.endsAt = now + .milliseconds(Int.random(in: -50...2000, using: &dice))
        }
        if Bool.random(using: &dice) {
            connection.dueAt = now + .milliseconds(Int.random(in: -50...2000, using: &dice))
        }
        connection.generation = UInt64(steps)
        let present = living(name, now)?.version ?? 0
        let expected: UInt64? = [nil, 0, present, present + 1].randomElement(using: &dice)!
        let wanted = connection
        let refused = await code {
            _ = try await records.write { try $0.put(wanted, expecting: expected) }
        }
        guard expected == nil || expected == present else {
            #expect(refused == .conflict)
            return
        }
        #expect(refused == nil)
        // The version is the one thing the model cannot know: it is the sequence of the last write.
        let version = try records.status().sequence
        #expect(version > lastVersion)
        lastVersion = version
        connection.version = version
        connections[name] = connection
    }

    private mutating func setUser(_ records: Records) async throws {
        let name = try name()
        let subject = Self.subjects.randomElement(using: &dice)!
        let owner = accounts.first { $0.key.platform == name.platform && $0.value == subject }?.key.user
        let refused = await code {
            try await records.write { try $0.setUser(name.user, of: subject, at: name.platform) }
        }
        let isAnothers = owner != nil && owner != name.user
        #expect(refused == (isAnothers ? .accountInUse : nil))
        if !isAnothers { accounts[name] = subject }
    }

    private mutating func sweep(_ records: Records, _ now: Timestamp, settled: Timestamp) async throws {
        let grace = Duration.milliseconds(Int.random(in: 0...500, using: &dice))
        let result = try await records.sweep(grace: grace, limit: 1000, dryRun: false)
        let ended = connections.filter { $0.value.endsAt.map { $0 <= settled - grace } ?? false }.keys
        #expect(Set(result.connections) == Set(ended))
        let times = result.connections.map { connections[$0]!.endsAt! }
        #expect(times == times.sorted())
        for name in ended {
            connections[name] = nil
            journal.remove(name)
        }
        let gone = sessions.values.filter { $0.endsAt <= now }
        #expect(result.sessions == gone.count)
        for session in gone { sessions[session.id] = nil }
    }

    func compare(_ records: Records) throws {
        let now = records.now
        try records.read { view in
            for user in Self.users {
                let expected = try Self.platforms.compactMap {
                    living(ConnectionName(user: try UserID(user), platform: try PlatformName($0)), now)
                }
                #expect(try view.connections(of: UserID(user)) == expected)
                for platform in Self.platforms {
                    let name = ConnectionName(user: try UserID(user), platform: try PlatformName(platform))
                    let subject = try view.subject(of: name.user, at: name.platform)
                    #expect(subject == accounts[name])
                    if let subject { #expect(try view.user(of: subject, at: name.platform) == name.user) }
                }
            }
            for id in 0..<6 {
                let expected = sessions["s\(id)"].flatMap { $0.endsAt > now ? $0 : nil }
                #expect(try view.session("s\(id)") == expected)
            }
            #expect(Set(try view.redemptions().map { ConnectionName(user: $0.user, platform: $0.platform) }) == journal)
        }
        let due = connections.keys.filter { (living($0, now)?.dueAt).map { $0 <= now } ?? false }
        let found = try records.due(before: now, limit: 1000)
        #expect(Set(found) == Set(due) && found.count == due.count)
        var walked: [ConnectionName: Connection] = [:]
        try records.forEachConnection { connection in
            walked[ConnectionName(user: connection.user, platform: connection.platform)] = connection
            return true
        }
        #expect(walked == connections.filter { living($0.key, now) != nil })
        #expect(try records.verify().problems == [])
    }
}
