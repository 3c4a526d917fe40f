import Testing
import VaultBase
import VaultCrypto
import VaultRecords
import VaultStore

/// What has ended is returned by no path, from the first millisecond.
@Suite struct LifetimeTests {
    @Test func anEndedConnectionIsReturnedByNoPath() async throws {
        let bench = try await Bench()
        let end = bench.now + .seconds(60)
        let version = try await bench.put(bench.connection(endsAt: end, dueAt: bench.now))
        func paths() async throws -> [Bool] {
            var walked = 0
            try bench.records.forEachConnection { _ in
                walked += 1
                return true
            }
            return [
                try bench.get() != nil,
                try bench.records.read { try !$0.connections(of: UserID("ada")).isEmpty },
                try !bench.records.due(before: end + .seconds(99), limit: 9).isEmpty,
                walked == 1,
                try await bench.records.write { try $0.connection(UserID("ada"), PlatformName("spotify")) } != nil,
            ]
        }
        bench.clock.set(Timestamp(rawValue: end.rawValue - 1))
        #expect(try await paths() == [true, true, true, true, true])
        bench.clock.set(end)
        #expect(try await paths() == [false, false, false, false, false])
        // Compare-and-set sees nothing there; deleting removes it and returns nothing.
        let next = try bench.connection()
        #expect(await code { try await bench.put(next, expecting: version) } == .conflict)
        #expect(try await bench.records.write { try $0.delete(UserID("ada"), PlatformName("spotify")) } == nil)
        #expect(try bench.count(.records) == 0)
        #expect(try await bench.put(next, expecting: 0) > version)
    }

    @Test func anEndedRecordDoesNotStandInTheWayOfANewOne() async throws {
        let bench = try await Bench()
        let first = try await bench.put(bench.connection(endsAt: bench.now + .seconds(1), dueAt: bench.now))
        bench.clock.advance(.seconds(1))
        let next = try bench.connection(endsAt: bench.now + .seconds(60))
        #expect(try await bench.put(next, expecting: 0) > first)
        #expect(try bench.count(.expiry) == 1)
        #expect(try bench.count(.due) == 0)
    }

    @Test func endedSessionsAndLoginsAreReturnedByNoPath() async throws {
        let bench = try await Bench()
        let (session, login) = (try bench.session(), try bench.login())
        try await bench.records.write {
            try $0.put(session)
            try $0.put(login)
        }
        bench.clock.advance(.milliseconds(59_999))
        #expect(try bench.records.read { try $0.session("s1") } == session)
        #expect(try bench.records.read { try $0.login("state-1") } == login)
        bench.clock.advance(.milliseconds(1))
        #expect(try bench.records.read { try $0.session("s1") } == nil)
        #expect(try bench.records.read { try $0.login("state-1") } == nil)
        #expect(try await bench.records.write { try $0.deleteSessions(of: UserID("ada")) } == 0)
        #expect(try bench.count(.sessions) == 0)
    }

    @Test func aWallClockSetBackBringsNothingBack() async throws {
        let bench = try await Bench()
        let start = bench.now
        try await bench.put(bench.connection(endsAt: start + .seconds(60)))
        bench.clock.set(start + .seconds(61))
        try await bench.put(bench.connection("other"))
        bench.clock.set(start)
        #expect(bench.records.now == start + .seconds(61))
        #expect(try bench.get() == nil)
        #expect(try bench.reopened().read { try $0.connection(UserID("ada"), PlatformName("spotify")) } == nil)
        let later = try bench.connection("third", endsAt: start + .seconds(61))
        try await bench.put(later)
        #expect(try bench.get("third") == nil)
    }

    @Test func aClockThatWasFarAheadCanBeAccepted() async throws {
        let bench = try await Bench()
        let start = bench.now
        try await bench.put(bench.connection(endsAt: start + .seconds(3600)))
        bench.clock.advance(.seconds(86_400 * 365))
        try await bench.put(bench.connection("other"))
        bench.clock.set(start)
        #expect(try bench.get() == nil)
        try await bench.records.acceptClock()
        #expect(try bench.get() != nil)
        #expect(try bench.reopened().now == start)
        #expect(try bench.records.verify().isSound)
    }

    @Test func aMomentBefore1970IsOver() async throws {
        let bench = try await Bench()
        for time in [Int64.min, -1, 0] {
            try await bench.put(bench.connection(endsAt: Timestamp(rawValue: time)))
            #expect(try bench.get() == nil)
        }
        #expect(try await bench.records.sweep(grace: .zero, limit: 9, dryRun: false).connections.count == 1)
        #expect(try bench.count(.records) == 0 && bench.count(.expiry) == 0)
    }

    // The sweeper

    @Test func sweepsInOrderOfTimeAfterTheGraceAndUpToItsLimit() async throws {
        let bench = try await Bench()
        let now = bench.now
        for (index, user) in ["c", "a", "b"].enumerated() {
            try await bench.put(bench.connection(user, endsAt: now + .seconds(index)))
        }
        func sweep(_ limit: Int, dryRun: Bool = false) async throws -> SweepResult {
            try await bench.records.sweep(grace: .seconds(100), limit: limit, dryRun: dryRun)
        }
        bench.clock.set(now + .seconds(99))
        #expect(try await sweep(9).connections.isEmpty)
        bench.clock.set(now + .seconds(102))
        let (session, login) = (try bench.session(lasts: .seconds(1)), try bench.login(lasts: .seconds(2)))
        try await bench.records.write {
            try $0.put(session)
            try $0.put(login)
        }
        // These are done with when they end.
        bench.clock.advance(.seconds(2))
        let dry = try await sweep(9, dryRun: true)
        #expect(dry.connections.map(\.user.rawValue) == ["c", "a", "b"])
        #expect(dry.sessions == 1 && dry.logins == 1 && dry.next == nil)
        #expect(try bench.count(.records) == 3)
        let first = try await sweep(2)
        #expect(first.connections.map(\.user.rawValue) == ["c", "a"] && first.next != nil)
        #expect(
            try await bench.records.sweep(grace: .seconds(100), limit: 9, dryRun: false, from: first.next)
                == SweepResult(
                    connections: [ConnectionName(user: UserID("b"), platform: PlatformName("spotify"))], sessions: 1,
                    logins: 1))
        for table in [Table.records, .expiry, .sessions, .logins] { #expect(try bench.count(table) == 0, "\(table)") }
        #expect(try bench.records.verify().isSound)
    }

    @Test func aRecordThatDoesNotOpenIsNotCalledRemovedAndStandsInNobodysWay() async throws {
        let bench = try await Bench()
        let now = bench.now
        for (index, user) in ["a", "b", "c", "d"].enumerated() {
            try await bench.put(bench.connection(user, endsAt: now + .seconds(index + 1)))
        }
        let rows = try bench.rows(.records)
        // In the box, and in the header: its version is not the one of its index entry then.
        for (row, place) in [(rows[0], 150), (rows[1], 9)] {
            var changed = row.1
            changed[place] ^= 1
            try await bench.set(changed, for: row.0, in: .records)
        }
        bench.clock.advance(.seconds(60))
        for dryRun in [true, false] {
            var removed: [String] = []
            var place: SweepPlace?
            var calls = 0
            repeat {
                let result = try await bench.records.sweep(grace: .zero, limit: 2, dryRun: dryRun, from: place)
                removed += result.connections.map(\.user.rawValue)
                place = result.next
                calls += 1
            } while place != nil && calls < 9
            #expect(removed == ["c", "d"] && calls == 2)
        }
        #expect(try bench.count(.records) == 2 && bench.count(.expiry) == 2)
        #expect(try await bench.records.sweep(grace: .zero, limit: 9, dryRun: false).connections.isEmpty)
    }

    @Test func aRecordWrittenAgainIsNotSwept() async throws {
        let bench = try await Bench()
        let start = bench.now
        try await bench.put(bench.connection(endsAt: start + .seconds(1)))
        // The index entry of the first version, put back as a fault would leave it.
        let entry = try bench.rows(.expiry)[0]
        try await bench.put(bench.connection(endsAt: start + .seconds(500)))
        try await bench.set(entry.1, for: entry.0, in: .expiry)
        bench.clock.set(start + .seconds(100))
        let result = try await bench.records.sweep(grace: .zero, limit: 9, dryRun: false)
        #expect(result.connections.isEmpty)
        #expect(try bench.get() != nil)
        #expect(try bench.count(.expiry) == 1)
    }

    @Test func aRecordWrittenAgainKeepsItsOwnGrace() async throws {
        let bench = try await Bench()
        let start = bench.now
        try await bench.put(bench.connection(endsAt: start + .seconds(1)))
        let entry = try bench.rows(.expiry)[0]
        try await bench.put(bench.connection(endsAt: start + .seconds(150)))
        try await bench.set(entry.1, for: entry.0, in: .expiry)
        // Ended, but not for as long as the old entry says.
        bench.clock.set(start + .seconds(200))
        #expect(try await bench.records.sweep(grace: .seconds(100), limit: 9, dryRun: false).connections.isEmpty)
        #expect(try bench.count(.records) == 1)
        bench.clock.set(start + .seconds(250))
        #expect(try await bench.records.sweep(grace: .seconds(100), limit: 9, dryRun: false).connections.count == 1)
    }

    @Test func theUserIsFoundAgainAfterTheRecordWasSwept() async throws {
        let bench = try await Bench()
        let (ada, spotify) = (try UserID("ada"), try PlatformName("spotify"))
        let connection = try bench.connection(endsAt: bench.now)
        try await bench.records.write {
            try $0.put(connection, expecting: 0)
            try $0.setUser(ada, of: "me", at: spotify)
        }
        _ = try await bench.records.sweep(grace: .zero, limit: 9, dryRun: false)
        #expect(try bench.count(.records) == 0)
        #expect(try bench.records.read { try $0.user(of: "me", at: spotify) } == ada)
        try await bench.records.write { _ = try $0.delete(ada, spotify) }
        #expect(try bench.records.read { try $0.user(of: "me", at: spotify) } == nil)
        #expect(try bench.records.verify().isSound)
    }
}
