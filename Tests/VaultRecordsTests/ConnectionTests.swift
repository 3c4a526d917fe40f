import Testing
import VaultBase
import VaultCrypto
import VaultRecords
import VaultStore

@Suite struct ConnectionTests {
    @Test func everyFieldComesBack() async throws {
        let bench = try await Bench()
        var connection = try bench.connection(endsAt: bench.now + .seconds(9999), dueAt: bench.now + .seconds(5))
        for health in [Health.healthy, .uncertain, .reconnect(reason: "revoked"), .operatorAction(reason: "secret")] {
            connection.health = health
            connection.generation += 7
            connection.version = try await bench.put(connection)
            #expect(try bench.get() == connection)
        }
    }

    @Test func whatIsAbsentStaysAbsent() async throws {
        let bench = try await Bench()
        let now = bench.now
        var connection = Connection(
            user: try UserID("ü".description), platform: try PlatformName("x"), accessToken: Secret(""), tokenType: "",
            createdAt: now, updatedAt: now, consentedAt: Timestamp(rawValue: -1), subject: "", clientID: "")
        connection.version = try await bench.put(connection)
        #expect(try bench.get("ü", "x") == connection)
        #expect(try bench.get("ada", "x") == nil)
        #expect(try bench.get("ü", "y") == nil)
    }

    @Test func versionsRiseAndAreNeverUsedAgain() async throws {
        let bench = try await Bench()
        var last: UInt64 = 0
        for round in 0..<5 {
            let version = try await bench.put(bench.connection(token: "t\(round)"))
            #expect(version > last)
            last = version
            let second = try await bench.put(bench.connection("bob"))
            #expect(second > last)
            last = second
            try await bench.records.write { _ = try $0.delete(UserID("ada"), PlatformName("spotify")) }
        }
        let reopened = try bench.reopened()
        let connection = try bench.connection()
        #expect(try await reopened.write { try $0.put(connection, expecting: 0) } > last)
    }

    @Test func compareAndSet() async throws {
        let bench = try await Bench()
        let connection = try bench.connection()
        #expect(await code { try await bench.put(connection, expecting: 1) } == .conflict)
        let first = try await bench.put(connection, expecting: 0)
        #expect(await code { try await bench.put(connection, expecting: 0) } == .conflict)
        #expect(await code { try await bench.put(connection, expecting: first + 1) } == .conflict)
        let second = try await bench.put(connection, expecting: first)
        #expect(await code { try await bench.put(connection, expecting: first) } == .conflict)
        try await bench.put(connection, expecting: nil)
        #expect(second > first)
    }

    @Test func aUsersConnectionsAreTheirOwnInOrderOfPlatform() async throws {
        let bench = try await Bench()
        for (user, platform) in [("a", "z"), ("a", "b"), ("ab", "a"), ("a", "a1"), ("b", "a")] {
            try await bench.put(bench.connection(user, platform))
        }
        let names = try bench.records.read { try $0.connections(of: UserID("a")).map(\.platform.rawValue) }
        #expect(names == ["a1", "b", "z"])
        #expect(try bench.records.read { try $0.connections(of: UserID("c")) }.isEmpty)
    }

    @Test func deletingTakesEverythingWithIt() async throws {
        let bench = try await Bench()
        let (ada, spotify) = (try UserID("ada"), try PlatformName("spotify"))
        let connection = try bench.connection(endsAt: bench.now + .seconds(60), dueAt: bench.now + .seconds(30))
        let now = bench.now
        try await bench.records.write {
            try $0.put(connection, expecting: 0)
            try $0.setUser(ada, of: connection.subject, at: spotify)
            try $0.begin(Redemption(user: ada, platform: spotify, generation: 1, begunAt: now))
        }
        let deleted = try await bench.records.write { try $0.delete(ada, spotify) }
        #expect(deleted?.accessToken == connection.accessToken)
        for table in [Table.records, .expiry, .due, .identities, .journal] {
            #expect(try bench.count(table) == 0, "\(table)")
        }
        #expect(try await bench.records.write { try $0.delete(ada, spotify) } == nil)
    }

    @Test func aTransactionReadsItsOwnWritesAndLeavesNothingWhenItThrows() async throws {
        let bench = try await Bench()
        let connection = try bench.connection()
        let before = try bench.rows(.state).map(\.1)
        struct Stop: Error {}
        await #expect(throws: Stop.self) {
            try await bench.records.write { records in
                try records.put(connection, expecting: 0)
                guard try records.connection(connection.user, connection.platform) != nil else { return }
                throw Stop()
            }
        }
        #expect(try bench.get() == nil)
        #expect(try bench.rows(.state).map(\.1) == before)
    }

    @Test func aTokenThatIsTooLongIsRefusedAndNothingChanges() async throws {
        let bench = try await Bench()
        let short = try bench.connection()
        let version = try await bench.put(short)
        let long = try bench.connection(token: String(repeating: "x", count: 17_000))
        #expect(await code { try await bench.put(long) } == .badRequest)
        #expect(try bench.get()?.version == version)
        try await bench.put(bench.connection(token: String(repeating: "x", count: 16_000)))
        #expect(try bench.get()?.accessToken.count == 16_000)
    }

    @Test func theIndexMovesWithItsRecord() async throws {
        let bench = try await Bench()
        let now = bench.now
        for round in 1..<4 {
            try await bench.put(
                bench.connection(endsAt: now + .seconds(100 * round), dueAt: now + .seconds(10 * round)))
            #expect(try bench.count(.expiry) == 1)
            #expect(try bench.count(.due) == 1)
        }
        try await bench.put(bench.connection())
        #expect(try bench.count(.expiry) == 0)
        #expect(try bench.count(.due) == 0)
    }

    @Test func dueComesEarliestFirstAndOnlyWhenItsTimeHasCome() async throws {
        let bench = try await Bench()
        let now = bench.now
        for (index, user) in ["c", "a", "b"].enumerated() {
            try await bench.put(bench.connection(user, dueAt: now + .seconds(index)))
        }
        try await bench.put(bench.connection("late", dueAt: now + .seconds(60)))
        try await bench.put(bench.connection("ended", endsAt: now, dueAt: now))
        let due = try bench.records.due(before: now + .seconds(10), limit: 10).map(\.user.rawValue)
        #expect(due == ["c", "a", "b"])
        #expect(try bench.records.due(before: now + .seconds(10), limit: 2).count == 2)
        #expect(try bench.records.due(before: now - .seconds(1), limit: 9).isEmpty)
    }

    @Test func walkingSeesEveryConnectionOnceAcrossManyBatches() async throws {
        let bench = try await Bench()
        let connections = try (0..<300).map { try bench.connection("user-\($0)") }
        try await bench.records.write { for connection in connections { try $0.put(connection, expecting: 0) } }
        var seen: [String] = []
        try bench.records.forEachConnection { connection in
            seen.append(connection.user.rawValue)
            return true
        }
        #expect(seen == (0..<300).map { "user-\($0)" }.sorted())
        var few = 0
        try bench.records.forEachConnection { _ in
            few += 1
            return few < 7
        }
        #expect(few == 7)
    }

    @Test func secretsAreNeverPrinted() async throws {
        let bench = try await Bench()
        let connection = try bench.connection(token: "AAAA-very-secret")
        try await bench.put(connection)
        let read = try #require(try bench.get())
        let login = try bench.login()
        var text = "\(read) \(String(reflecting: read)) \(login) \(String(describing: login)) \(bench.records)"
        dump(read, to: &text)
        dump(login, to: &text)
        dump(bench.records, to: &text)
        #expect(!text.contains("very-secret") && !text.contains("refresh-1") && !text.contains("verifier\""))
        #expect(text.contains("<redacted>"))
    }
}
