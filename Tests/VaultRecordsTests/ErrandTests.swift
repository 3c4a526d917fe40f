import Testing
import VaultBase
import VaultCrypto
import VaultRecords
import VaultStore

/// Events, service keys and pending revocations: kept, indexed, checked, backed up and swept like all else.
@Suite struct ErrandTests {
    private static func event(_ bench: Bench, _ id: String = "evt_1", lasts: Duration = .seconds(3600)) throws
        -> EventRecord
    {
        EventRecord(
            id: id, kind: .reconnectNeeded, user: try UserID("ada"), platform: try PlatformName("spotify"),
            at: bench.now, endsAt: bench.now + lasts,
            facts: .init(
                reason: "invalid_grant", grantEndsAt: bench.now, missingScope: "a b", revoked: "pending",
                by: "service:x"))
    }

    private static func service(_ bench: Bench, lasts: Duration? = .seconds(3600)) throws -> ServiceKey {
        ServiceKey(
            id: "00112233aabbccdd", name: "job", digest: [1, 2, 3], actions: [.write, .readToken],
            platforms: [try PlatformName("x"), try PlatformName("spotify")], createdAt: bench.now,
            endsAt: lasts.map { bench.now + $0 })
    }

    private static func revocation(
        _ bench: Bench, _ subject: String = "account", due: Duration = .seconds(30)
    ) throws -> PendingRevocation {
        PendingRevocation(
            user: try UserID("ada"), platform: try PlatformName("spotify"), subject: subject,
            accessToken: Secret("access-in-clear"), refreshToken: Secret("refresh-in-clear"), attempts: 3,
            nextAt: bench.now + due, endsAt: bench.now + .seconds(3600))
    }

    /// An event, a service key, two revocations and a connection.
    static func filled(_ store: any Store = MemoryStore()) async throws -> Bench {
        let bench = try await Bench(store)
        let values = (
            try event(bench), try service(bench), try revocation(bench), try revocation(bench, ""),
            try bench.connection(dueAt: bench.now)
        )
        try await bench.records.write { transaction in
            var connection = values.4
            connection.clockAt = transaction.now + .seconds(10)
            connection.validateAt = transaction.now + .seconds(20)
            try transaction.put(connection, expecting: 0)
            try transaction.tell(values.0, limit: 100)
            try transaction.put(values.1)
            try transaction.put(values.2)
            try transaction.put(values.3)
        }
        return bench
    }

    @Test func anEventComesBackAndLeavesTheQueueWhenItWasTold() async throws {
        let bench = try await Self.filled()
        var event = try #require(try bench.records.read { try $0.pendingEvents(limit: 9) }.first)
        var expected = try Self.event(bench)
        expected.number = event.number
        #expect(event == expected)
        #expect(try bench.records.read { try $0.pendingEvents(after: event.number, limit: 9) }.isEmpty)
        event.deliveries = [
            .init(receiver: "a", state: .dead, attempts: 20, since: bench.now, nextAt: bench.now, code: "http-500"),
            .init(receiver: "b", attempts: 1, since: bench.now, nextAt: bench.now + .seconds(5)),
        ]
        let changed = event
        try await bench.records.write { try $0.update(changed) }
        #expect(try bench.reopened().read { try $0.event(changed.number) } == changed)
        #expect(changed.isPending && changed.isDead)
        event.deliveries?[1].state = .delivered
        let told = event
        try await bench.records.write { try $0.update(told) }
        #expect(try bench.records.read { try $0.pendingEventCount(limit: 9) } == 0)
        #expect(try bench.records.read { try $0.events(limit: 9) } == [told])
        #expect(try bench.records.verify().isSound)
        // One that made room meanwhile does not come back.
        try await bench.records.write { try $0.tell(told, limit: 1) }
        try await bench.records.write { try $0.update(told) }
        #expect(try bench.records.read { try $0.events(limit: 9) }.map(\.number) != [told.number])
        #expect(try bench.records.verify().isSound)
    }

    @Test func serviceKeysComeBackAndEnd() async throws {
        let bench = try await Self.filled()
        let service = try Self.service(bench)
        #expect(try bench.reopened().read { try $0.serviceKey(service.id) } == service)
        #expect(try bench.records.read { try $0.serviceKeys() } == [service])
        #expect(try bench.records.read { try $0.serviceKey("0011") } == nil)
        bench.clock.advance(.seconds(3600))
        #expect(try bench.records.read { try $0.serviceKey(service.id) } == nil)
        #expect(try bench.records.read { try $0.serviceKeys() }.isEmpty)
        #expect(try await bench.records.write { try $0.deleteServiceKey(service.id) })
        #expect(try bench.records.verify().isSound)
    }

    @Test func revocationsComeInTheirTimeAndGo() async throws {
        let bench = try await Self.filled()
        let revocation = try Self.revocation(bench)
        #expect(try bench.records.read { try $0.revocations(dueBefore: bench.now, limit: 9) }.isEmpty)
        let due = try bench.records.read { try $0.revocations(dueBefore: bench.now + .seconds(30), limit: 9) }
        #expect(due.count == 2 && due.contains(revocation))
        // Replaced, not doubled.
        let later = try Self.revocation(bench, due: .seconds(60))
        try await bench.records.write { try $0.put(later) }
        #expect(try await !bench.records.write { try $0.isKept(revocation) })
        #expect(try bench.records.status().revocations == 2)
        #expect(try bench.records.verify().isSound)
        #expect(
            try await bench.records.write {
                try $0.deleteRevocation(of: "account", at: PlatformName("spotify"), UserID("bob"))
            })
        try await bench.records.write { _ = try $0.delete(try Self.revocation(bench, "")) }
        #expect(try bench.records.status().revocations == 0)
        #expect(try bench.records.verify().isSound)
    }

    @Test func theAgendasOfAConnectionMoveWithIt() async throws {
        let bench = try await Self.filled()
        let name = ConnectionName(user: try UserID("ada"), platform: try PlatformName("spotify"))
        #expect(try bench.records.clockDue(before: bench.now + .seconds(9), limit: 9).isEmpty)
        #expect(try bench.records.clockDue(before: bench.now + .seconds(10), limit: 9) == [name])
        #expect(try bench.records.validationsDue(before: bench.now + .seconds(19), limit: 9).isEmpty)
        #expect(try bench.records.validationsDue(before: bench.now + .seconds(20), limit: 9) == [name])
        #expect(try bench.records.due(before: bench.now, limit: 9).count == 1)
        var connection = try #require(try bench.get())
        connection.clockAt = bench.now
        connection.validateAt = nil
        connection.dueAt = nil
        try await bench.put(connection)
        #expect(try bench.get()?.clockAt == bench.now)
        #expect(try bench.records.validationsDue(before: .init(rawValue: .max), limit: 9).isEmpty)
        #expect(try bench.records.due(before: .init(rawValue: .max), limit: 9).isEmpty)
        #expect(try bench.records.verify().isSound)
        _ = try await bench.records.write { try $0.delete(name.user, name.platform) }
        #expect(try bench.count(.due) == 3, "an event and two revocations")
        #expect(try bench.records.verify().isSound)
    }

    @Test func aBackupBringsThemBack() async throws {
        let bench = try await Self.filled()
        let folder = try Folder()
        _ = try await Backup.write(bench.records, to: folder.path + "/b") { _, _ in }
        let store = MemoryStore()
        _ = try await Backup.restore(
            folder.path + "/b", into: store, rootKey: bench.key, isSingleUse: { _ in false }
        ) { _, _ in }
        let restored = try Records.open(store, rootKey: bench.key, clock: bench.clock)
        #expect(try restored.verify().problems == [])
        #expect(try restored.read { try $0.pendingEvents(limit: 9) }.count == 1)
        #expect(try restored.read { try $0.serviceKeys() } == [try Self.service(bench)])
        #expect(try restored.read { try $0.revocations(dueBefore: .init(rawValue: .max), limit: 9) }.count == 2)
        #expect(try restored.clockDue(before: .init(rawValue: .max), limit: 9).count == 1)
        #expect(try restored.validationsDue(before: .init(rawValue: .max), limit: 9).count == 1)
    }

    @Test func aRotationSealsThemAnew() async throws {
        let bench = try await Self.filled()
        let result = try await bench.records.rotate()
        #expect(result.resealed == 5 && result.damaged.isEmpty)
        #expect(try bench.reopened().verify().isSound)
        #expect(try bench.reopened().read { try $0.pendingEvents(limit: 9) }.count == 1)
    }

    @Test func theSweepTakesWhatEnded() async throws {
        let bench = try await Self.filled()
        bench.clock.advance(.seconds(3600))
        let result = try await bench.records.sweep(grace: .zero, limit: 100, dryRun: false)
        #expect(result.others == 4 && result.connections.isEmpty)
        let status = try bench.records.status()
        #expect(status.events + status.serviceKeys + status.revocations == 0)
        #expect(try bench.count(.due) == 3, "those of the connection")
        #expect(try bench.records.verify().isSound)
    }

    @Test(arguments: [Table.events, .services, .revocations]) func oneThatIsChangedOrDroppedIsFound(
        table: Table
    ) async throws {
        let bench = try await Self.filled()
        let (key, value) = try #require(try bench.rows(table).first)
        var bad = value
        bad[bad.count - 1] ^= 1
        try await bench.set(bad, for: key, in: table)
        #expect(try bench.records.verify().problems.map(\.kind).contains(.damaged))
        // Nobody is told, and nobody let in, by what does not open; and nothing stops.
        #expect(try bench.records.read { try $0.events(limit: 9) }.count == (table == .events ? 0 : 1))
        #expect(try bench.records.read { try $0.pendingEvents(limit: 9) }.count == (table == .events ? 0 : 1))
        try await bench.set(value, for: key, in: table)
        #expect(try bench.records.verify().isSound)
        _ = try await bench.store.write { try $0.delete(key.span.bytes, in: table) }
        #expect(try !bench.records.verify().isSound)
    }

    @Test func theirTokensDoNotStandInTheStore() async throws {
        let bench = try await Self.filled()
        let needle = Array("in-clear".utf8)
        for table in Table.allCases {
            for (key, value) in try bench.rows(table) {
                for bytes in [key, value] where bytes.count >= needle.count {
                    #expect(
                        !(0...(bytes.count - needle.count)).contains {
                            bytes[$0..<($0 + needle.count)].elementsEqual(needle)
                        })
                }
            }
        }
    }

    @Test func aVaultThatNeverUsedThemIsAsItWasBeforeThem() async throws {
        let bench = try await Bench()
        try await bench.put(bench.connection())
        let state = try #require(try bench.rows(.state).first?.1)
        #expect(state[2] == 5 && state[3] == 0)
        let event = try Self.event(bench)
        try await bench.records.write { try $0.tell(event, limit: 9) }
        #expect(try #require(try bench.rows(.state).first?.1)[2] == 6)
        #expect(try bench.reopened().verify().isSound)
    }

    @Test func aPlatformsPauseIsRemembered() async throws {
        let bench = try await Bench()
        let (spotify, end) = (try PlatformName("spotify"), bench.now + .seconds(60))
        try await bench.records.write { try $0.cool(spotify, until: end) }
        #expect(try bench.reopened().read { try $0.cooldowns() } == [spotify: end])
        #expect(try bench.records.verify().isSound)
    }
}
