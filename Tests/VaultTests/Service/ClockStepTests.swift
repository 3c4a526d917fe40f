import Testing
import VaultBase
import VaultProviders
import VaultRecords

@testable import Vault

/// The whole vault under a wall clock that is set: an hour back, ten years ahead and back, and one that stands.
@Suite struct ClockStepTests {
    private static let years = Duration.seconds(315_576_000)

    private func world() async throws -> World {
        try await World(
            options: {
                $0.refreshAhead = true
                $0.sweepGrace = .seconds(3600)
            }, description: { $0.absoluteLifetime = 30 * 86_400 })
    }

    @Test func anHourBackNothingIsEndedAtBirthAndNothingLivesLonger() async throws {
        let world = try await world()
        let early = try await world.logIn("alice")
        world.clock.advance(.seconds(1800))
        _ = try await world.vault.refresh(early.record.user, at: World.first)
        world.clock.step(.seconds(-3600))

        // Who was logged in still is, and whoever comes can log in.
        #expect(try world.vault.session(early.token) == early.record)
        let login = try await world.begin("bob")
        #expect(login.start.expiresAt == world.clock.now() + .seconds(600))
        world.clock.advance(.seconds(599))
        let late = try #require(try await world.complete(login).session)
        #expect(try world.vault.session(late.token) == late.record)

        // An access token is handed out as long as it lasts, with its end by the time outside.
        let calls = world.provider.calls(.refresh)
        let token = try await world.vault.token(for: late.record.user, at: World.first)
        #expect(token.expiresAt == world.clock.now() + .seconds(3600))
        #expect(world.provider.calls(.refresh) == calls)
        world.clock.advance(.seconds(3541))
        _ = try await world.vault.token(for: late.record.user, at: World.first)
        #expect(world.provider.calls(.refresh) == calls + 1)

        // The session ends when its twelve hours are over, and not an hour later.
        world.clock.advance(.seconds(12 * 3600 - 3542))
        _ = try world.vault.session(late.token)
        world.clock.advance(.seconds(1))
        #expect(await code { try world.vault.session(late.token) } == .unauthorized)
    }

    @Test func afterAnHourBackRefreshAheadComesInTime() async throws {
        let world = try await world()
        world.clock.step(.seconds(-3600))
        let user = try await world.logIn("alice").record.user
        world.clock.advance(.seconds(3200))
        try await world.vault.refreshAhead()
        #expect(world.provider.calls(.refresh) == 0)
        world.clock.advance(.seconds(40))
        try await world.vault.refreshAhead()
        #expect(world.provider.calls(.refresh) == 1)
        #expect(try world.connection(user).generation == 2)
    }

    @Test func tenYearsAheadAndBackEndNoGrant() async throws {
        let world = try await world()
        let alice = try await world.logIn("alice")
        let user = alice.record.user
        try await world.vault.sweep()
        world.clock.step(Self.years)
        // Whoever logs in meanwhile makes the vault remember that time.
        let bob = try await world.logIn("bob").record.user
        try await world.vault.sweep()
        world.clock.step(.zero - Self.years)
        // For as long as it takes to believe the wall clock again, and beyond.
        for _ in 0..<14 {
            world.clock.advance(.seconds(60))
            try await world.vault.sweep()
        }
        #expect(!world.logs.lines.contains { $0.contains("sweep.removed") })
        #expect(world.logs.lines.contains { $0.contains("clock.behind") })
        // By the vault's clock it is over, and not returned; the grant is there still and was not called dead.
        #expect(await code { try await world.vault.token(for: user, at: World.first) } == .noConnection)
        #expect(await code { try world.vault.session(alice.token) } == .unauthorized)
        // Life goes on by that clock: those who come can log in, and tokens end in their time.
        let carol = try await world.logIn("carol")
        #expect(try world.vault.session(carol.token) == carol.record)
        let lasting = try await world.vault.token(for: carol.record.user, at: World.first)
        #expect(lasting.expiresAt == world.clock.now() + .seconds(3600))

        let sessions = try await world.administration.all(.sessions(user: carol.record.user.rawValue))
        guard case .heldSession(let held)? = sessions.first else { throw Unexpected("\(sessions)") }
        #expect(held.createdAt == world.clock.now().iso8601)
        #expect(held.expiresAt == (world.clock.now() + .seconds(12 * 3600)).iso8601)

        let answers = try await world.administration.all(.status) + world.administration.all(.acceptClock)
        guard case .status(let status)? = answers.first, case .clock(let clock)? = answers.last else {
            throw Unexpected("\(answers)")
        }
        #expect(status.clockAhead == clock.ahead && clock.ahead == 315_576_000)
        #expect(try world.connection(user).health == .healthy)
        _ = try await world.vault.token(for: user, at: World.first)
        // A token stored by the time that was wrong is not believed to last for years.
        let before = try world.connection(bob).generation
        let fresh = try await world.vault.token(for: bob, at: World.first)
        #expect(try world.connection(bob).generation == before + 1)
        #expect(fresh.expiresAt == world.clock.now() + .seconds(3600))
        #expect(try world.records.verify().isSound)
    }

    @Test func aStartWithAWrongClockRemovesNothingYet() async throws {
        let world = try await world()
        let user = try await world.logIn("alice").record.user
        world.clock.step(Self.years)
        let vault = try world.restarted()
        for _ in 0..<10 {
            try await vault.sweep()
            world.clock.advance(.seconds(59))
        }
        #expect(try world.records.status().connections == 1)
        // Set right before it was believed, nothing has happened.
        world.clock.step(.zero - Self.years)
        try await vault.sweep()
        _ = try await world.restarted().token(for: user, at: World.first)
        // A clock that runs evenly so long is believed.
        world.clock.step(Self.years)
        let second = try world.restarted()
        try await second.sweep()
        world.clock.advance(.seconds(600))
        try await second.sweep()
        #expect(try world.records.status().connections == 0)
    }

    @Test func aClockThatStandsEndsNothingAndStopsNothing() async throws {
        let world = try await world()
        let alice = try await world.logIn("alice")
        for _ in 0..<3 {
            #expect(try world.vault.session(alice.token) == alice.record)
            _ = try await world.vault.token(for: alice.record.user, at: World.first)
            _ = try await world.vault.refresh(alice.record.user, at: World.first)
            try await world.vault.refreshAhead()
            try await world.vault.sweep()
            _ = try await world.logIn("bob")
        }
        #expect(world.provider.calls(.refresh) == 3)
        #expect(try world.connection(alice.record.user).generation == 4)
    }
}
