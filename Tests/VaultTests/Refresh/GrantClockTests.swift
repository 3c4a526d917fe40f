import Synchronization
import Testing
import VaultBase
import VaultProviders
import VaultRecords

@testable import Vault

/// Warnings ahead of a grant's end, once for each limit and consent, and the end itself.
@Suite struct GrantClockTests {
    private static let day = Duration.seconds(86_400)

    /// A world that remembers its events for the whole test.
    private func start(_ describe: (inout ProviderDescription) -> Void = { _ in }) async throws -> World {
        try await World(options: { $0.eventKeep = Self.day * 366 }, description: describe)
    }

    private func pass(_ days: Int, _ world: World) async throws {
        for _ in 0..<days {
            world.clock.advance(Self.day)
            try await world.vault.runGrantClock()
            try await world.vault.runGrantClock()
        }
    }

    @Test func warnsBeforeAnAbsoluteLimitOnceAndSaysTheEnd() async throws {
        let world = try await start({ $0.absoluteLifetime = 182 * 86_400 })
        let user = try await world.logIn("alice").record.user
        for _ in 0..<167 {
            world.clock.advance(Self.day)
            _ = try await world.vault.refresh(user, at: World.first)
            try await world.vault.runGrantClock()
        }
        #expect(try world.happened == ["connection.connected"])
        #expect(try world.vault.connections(of: user)[0].health == .healthy)
        for _ in 0..<10 {
            world.clock.advance(Self.day)
            // Neither refreshing nor looking again warns again.
            _ = try await world.vault.refresh(user, at: World.first)
            try await world.vault.runGrantClock()
        }
        let warning = try #require(try world.events().last)
        #expect(try world.happened == ["connection.connected", "connection.expiring"])
        #expect(warning.at == HandClock.start + Self.day * 168)
        #expect(warning.facts.grantEndsAt == HandClock.start + Self.day * 182)
        #expect(try world.vault.connections(of: user)[0].health == .expiring)
        #expect(try world.connection(user).health == .healthy)

        try await pass(6, world)
        #expect(
            try world.happened == [
                "connection.connected", "connection.expiring", "connection.reconnect_needed",
            ])
        #expect(try world.events().last?.facts.reason == "grant-ended")
        #expect(try world.records.verify().isSound)
        #expect(try world.records.clockDue(before: Timestamp(rawValue: .max), limit: 10).isEmpty)
    }

    @Test func aNewConsentIsWarnedOfAnew() async throws {
        let world = try await start({ $0.absoluteLifetime = 30 * 86_400 })
        let user = try await world.logIn("alice").record.user
        try await pass(17, world)
        try await world.logIn("alice")
        #expect(try world.vault.connections(of: user)[0].health == .healthy)
        try await pass(17, world)
        #expect(try world.happened.count { $0 == "connection.expiring" } == 2)
        try await pass(20, world)
        #expect(try world.happened.count { $0 == "connection.reconnect_needed" } == 1)
    }

    @Test func useKeepsAnIdleLimitAway() async throws {
        let world = try await start({ $0.idleLifetime = 30 * 86_400 })
        let user = try await world.logIn("alice").record.user
        for _ in 0..<10 {
            try await pass(10, world)
            _ = try await world.vault.refresh(user, at: World.first)
        }
        #expect(try world.happened == ["connection.connected"])
        try await pass(20, world)
        #expect(try world.happened == ["connection.connected", "connection.expiring"])
        _ = try await world.vault.refresh(user, at: World.first)
        #expect(try world.vault.connections(of: user)[0].health == .healthy)
        try await pass(20, world)
        #expect(try world.happened.count { $0 == "connection.expiring" } == 2)
    }

    @Test func aShortLifeIsWarnedOfHalfway() async throws {
        // Google's consent screens in testing: seven days.
        let world = try await start({ $0.absoluteLifetime = 7 * 86_400 })
        try await world.logIn("alice")
        try await pass(3, world)
        #expect(try world.happened == ["connection.connected"])
        try await pass(1, world)
        #expect(try world.happened == ["connection.connected", "connection.expiring"])
    }

    @Test func theProvidersOwnRemainderDoesNotWarnAtEveryRefresh() async throws {
        let world = try await start()
        let user = try await world.logIn("alice").record.user
        let end = HandClock.start + Self.day * 30
        for day in 1..<29 {
            world.clock.advance(Self.day)
            // Rounded differently each time.
            let left = (end - world.clock.now()).milliseconds / 1000 + Int64(day % 3)
            world.provider.script(
                .refresh,
                .answer(
                    200,
                    """
                    {"access_token":"a","refresh_token":"r\(day)","expires_in":60,"refresh_token_expires_in":\(left)}
                    """))
            _ = try await world.vault.refresh(user, at: World.first)
            try await world.vault.runGrantClock()
        }
        #expect(try world.happened.count { $0 == "connection.expiring" } == 1)
    }

    @Test func aTokenThatNothingRenewsNeedsAConsentAtItsEnd() async throws {
        let world = try await start()
        world.provider.state.withLock { $0.givesRefreshToken = false }
        let user = try await world.logIn("alice").record.user
        world.clock.advance(.seconds(3600))
        try await world.vault.runGrantClock()
        try await world.vault.runGrantClock()
        #expect(try world.happened == ["connection.connected", "connection.reconnect_needed"])
        #expect(try world.events().last?.facts.reason == "no-refresh-token")
        #expect(try world.connection(user).health == .reconnect(reason: "no-refresh-token"))
    }

    @Test func aDeadGrantIsNotWarnedOf() async throws {
        let world = try await start({ $0.absoluteLifetime = 30 * 86_400 })
        let user = try await world.logIn("alice").record.user
        world.provider.script(.refresh, .answer(400, "{\"error\":\"invalid_grant\"}"))
        _ = await code { try await world.vault.refresh(user, at: World.first) }
        try await pass(31, world)
        #expect(try world.happened == ["connection.connected", "connection.reconnect_needed"])
    }
}
