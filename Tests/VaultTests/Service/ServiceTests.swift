import MetricsTestKit
import ServiceLifecycle
import ServiceLifecycleTestKit
import Synchronization
import Testing
import VaultBase
import VaultProviders
import VaultRecords

@testable import Vault

@Suite struct ServiceTests {
    @Test func aGracefulStopFinishesWhatIsUnderWay() async throws {
        let world = try await World()
        let user = try await world.logIn("alice").record.user
        let gate = Gate()
        world.provider.script(.refresh, .wait(gate))
        let caller = Task { try await world.vault.refresh(user, at: World.first) }
        await gate.waitForArrivals()
        try await testGracefulShutdown { trigger in
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await world.vault.run() }
                trigger.triggerGracefulShutdown()
                gate.open()
                try await group.waitForAll()
            }
        }
        // Whoever stops after the service finds the tokens stored.
        #expect(try world.connection(user).generation == 2)
        #expect(try world.records.read { try $0.redemptions() } == [])
        _ = try await caller.value
    }

    @Test func startingMarksWhatACrashLeftAndSendsNothing() async throws {
        let world = try await World()
        let user = try await world.logIn("alice").record.user
        try await world.records.write { transaction in
            try transaction.begin(
                Redemption(user: user, platform: World.first, generation: 1, begunAt: HandClock.start))
        }
        let vault = try world.restarted()
        try await testGracefulShutdown { trigger in
            trigger.triggerGracefulShutdown()
            try await vault.run()
        }
        #expect(try world.connection(user).health == .uncertain)
        #expect(world.provider.calls(.refresh) == 0)
    }

    @Test func aDiskThatFailedUnderAWriteStopsTheService() async throws {
        let world = try await World()
        let user = try await world.logIn("alice").record.user
        try await world.records.write { transaction in
            try transaction.begin(
                Redemption(user: user, platform: World.first, generation: 1, begunAt: HandClock.start))
        }
        let vault = try world.restarted()
        world.store.fail(with: VaultError(.unknownOutcome, "the disk failed"))
        #expect(await code { try await vault.run() } == .unknownOutcome)
    }

    @Test func theSweepRemovesWhatEndedAndLeavesTheIdentity() async throws {
        let world = try await World(
            options: { $0.sweepGrace = .seconds(3600) }, description: { $0.absoluteLifetime = 7200 })
        let user = try await world.logIn("alice").record.user
        let bob = try await world.logIn("bob", at: World.second).record.user
        try await world.update(bob) { $0.endsAt = nil }
        world.clock.advance(.seconds(7200))
        try await world.records.write { _ in }
        #expect(try await world.records.sweep(grace: .seconds(3600), limit: 10, dryRun: true).connections == [])
        world.clock.advance(.seconds(3600))
        try await world.vault.sweep()
        #expect(world.logs.lines.contains { $0.contains("sweep.removed") && $0.contains("\(user)") })
        #expect(try await world.logIn("alice").record.user == user)
    }

    @Test func aJumpOfTheClockPausesTheSweep() {
        var watch = ClockWatch()
        let (wall, steady) = (HandClock.start, Duration.zero)
        func at(_ seconds: Int, jumped: Int = 0) -> Bool {
            watch.trusts(wall + .seconds(seconds + jumped), at: steady + .seconds(seconds))
        }
        #expect(at(0))
        #expect(at(60))
        #expect(at(120, jumped: 30))
        #expect(!at(180, jumped: 86400))
        #expect(!at(240, jumped: 86400))
        #expect(!at(300, jumped: 0))
        #expect(!at(360))
        #expect(!at(899))
        #expect(at(900))
        #expect(at(960))
    }

    // MARK: Refresh-ahead

    @Test func refreshesAheadOfTheEnd() async throws {
        let world = try await World(options: { $0.refreshAhead = true })
        let user = try await world.logIn("alice").record.user
        let due = try #require(try world.connection(user).dueAt)
        // A tenth of its life before the end, and a tenth of that earlier at the most.
        #expect(due <= HandClock.start + .seconds(3240) && due >= HandClock.start + .seconds(3204))
        try await world.vault.refreshAhead()
        #expect(world.provider.calls(.refresh) == 0)
        world.clock.advance(.seconds(3240))
        try await world.vault.refreshAhead()
        try await world.vault.refreshAhead()
        #expect(world.provider.calls(.refresh) == 1)
        #expect(try world.connection(user).generation == 2)
    }

    @Test func withoutTheOptionNothingIsDue() async throws {
        let world = try await World()
        let user = try await world.logIn("alice").record.user
        #expect(try world.connection(user).dueAt == nil)
    }

    @Test func aRoundSpendsNoMoreThanEachPlatformsBudget() async throws {
        let world = try await World(options: { $0.refreshAhead = true })
        for number in 0..<30 { try await world.logIn("user\(number)") }
        try await world.logIn("user0", at: World.second)
        world.clock.advance(.seconds(3590))
        try await world.vault.refreshAhead()
        #expect(world.provider.calls(.refresh) == 21)
        try await world.vault.refreshAhead()
        #expect(world.provider.calls(.refresh) == 31)
        try await world.vault.refreshAhead()
        #expect(world.provider.calls(.refresh) == 31)
    }

    @Test func anOutageIsNotHammeredAhead() async throws {
        let world = try await World(options: { $0.refreshAhead = true })
        for number in 0..<30 { try await world.logIn("user\(number)") }
        for _ in 0..<100 { world.provider.script(.refresh, .answer(503, "", [("Retry-After", "60")])) }
        world.clock.advance(.seconds(3590))
        try await world.vault.refreshAhead()
        // Three failures, and those that were under way at the time.
        let calls = world.provider.calls(.refresh)
        #expect(calls >= RefreshAhead.patience && calls <= RefreshAhead.patience + RefreshAhead.width)
    }

    @Test(arguments: [false, true]) func damagedRecordsTakeNobodysPlaceInTheLane(_ isDamaged: Bool) async throws {
        let world = try await World(options: { $0.refreshAhead = true })
        for number in 0..<(RefreshAhead.budget + 5) { try await world.logIn("user\(number)") }
        if isDamaged { try await world.damageAll() }
        world.clock.advance(.seconds(3600))
        let alice = try await world.logIn("alice").record.user
        world.clock.advance(.seconds(3600))
        try await world.vault.refreshAhead()
        // Those before her fill the whole lane, if they can be refreshed at all.
        #expect(world.provider.calls(.refresh) == (isDamaged ? 1 : RefreshAhead.budget))
        #expect(try world.connection(alice).generation == (isDamaged ? 2 : 1))
    }

    @Test func whatCannotEvenBeTriedStandsInNobodysWay() async throws {
        let world = try await World(options: { $0.refreshAhead = true })
        let user = try await world.logIn("alice").record.user
        try await world.update(user) { $0.clientID = "another" }
        world.clock.advance(.seconds(3590))
        try await world.vault.refreshAhead()
        #expect(try world.records.due(before: world.clock.now(), limit: 10).isEmpty)
        #expect(world.provider.calls(.refresh) == 0)
        #expect(try world.connection(user).health == .healthy)
    }

    // MARK: What is said of it

    @Test func whatHappensIsCounted() async throws {
        let world = try await World()
        let session = try await world.logIn("alice")
        let user = session.record.user
        _ = try await world.vault.token(for: user, at: World.first)
        _ = try await world.vault.refresh(user, at: World.first)
        world.provider.script(.refresh, .answer(503, ""))
        _ = await code { try await world.vault.refresh(user, at: World.first) }
        _ = try world.vault.session(session.token)
        _ = await code { try world.vault.session(Secret("x")) }
        _ = try await world.vault.disconnect(user, from: World.first)
        let first = ("platform", "first")
        #expect(world.count("vault_logins_total", first, ("outcome", "begun")) == 1)
        #expect(world.count("vault_logins_total", first, ("outcome", "connected")) == 1)
        #expect(world.count("vault_exchanges_total", first, ("outcome", "ok")) == 1)
        #expect(world.count("vault_token_reads_total", first) == 1)
        #expect(world.count("vault_refreshes_total", first, ("outcome", "ok")) == 1)
        #expect(world.count("vault_refreshes_total", first, ("outcome", "retry")) == 1)
        #expect(world.count("vault_session_checks_total", ("outcome", "ok")) == 1)
        #expect(world.count("vault_session_checks_total", ("outcome", "refused")) == 1)
        #expect(world.count("vault_disconnects_total", first, ("outcome", "yes")) == 1)
        try world.vault.measure()
        #expect(try world.metrics.expectGauge("vault_store_keys", [("table", "sessions")]).lastValue != nil)
    }

    @Test func noSecretIsLogged() async throws {
        let world = try await World()
        let login = try await world.begin("alice")
        let session = try #require(try await world.complete(login).session)
        let user = session.record.user
        var secrets = [
            login.state, login.start.binding.reveal(), login.parameters[0].value, session.token.reveal(),
            session.record.id, "client-secret", login.start.authorizationURL,
        ]
        world.provider.script(.exchange, .answer(400, "{\"error\":\"invalid_grant\",\"error_description\":\"code-2\"}"))
        _ = try await world.complete(try await world.begin("bob"))
        for step in [
            FakeProvider.Step.answer(503, ""), .answer(401, "{\"error\":\"invalid_client\"}"), .answer(200, "{\"acc"),
        ] {
            let connection = try world.connection(user)
            secrets += [connection.accessToken.reveal(), connection.refreshToken?.reveal() ?? ""]
            world.provider.script(.refresh, step)
            _ = await code { try await world.vault.refresh(user, at: World.first) }
            world.clock.advance(.seconds(700))
        }
        world.provider.script(.revoke, .answer(401, "{\"error\":\"invalid_client\"}"))
        _ = try await world.vault.disconnect(user, from: World.first)
        try await world.vault.revoke(session.record)
        secrets += world.provider.sent("code_verifier", to: .exchange)
        #expect(world.logs.lines.count >= 8)
        for secret in secrets where !secret.isEmpty {
            #expect(!world.logs.lines.contains { $0.contains(secret) }, "a secret is in the log")
        }
    }
}
