import Testing
import VaultBase
import VaultProviders
import VaultRecords

@testable import Vault

/// Revocations that the provider could not take at once.
@Suite struct RevocationTests {
    /// A world in which alice's revocation is pending.
    private func start(
        options: (inout VaultOptions) -> Void = { _ in }
    ) async throws -> (World, UserID) {
        let world = try await World(options: options)
        let user = try await world.logIn("alice").record.user
        world.provider.script(.revoke, .answer(503, ""), .answer(503, ""))
        let end = try await world.vault.disconnect(user, from: World.first)
        #expect(end.revoked == .pending)
        #expect(try world.records.read { try $0.connection(user, World.first) } == nil)
        return (world, user)
    }

    @Test func isTriedAgainUntilTheProviderTookIt() async throws {
        let (world, _) = try await start()
        try await world.vault.revokeWhatWaits()
        #expect(world.provider.calls(.revoke) == 2)
        world.provider.script(.revoke, .answer(500, ""), .fail(ProviderFailure(failure: .retry, code: "dns-failed")))
        for _ in 0..<3 {
            world.clock.advance(.seconds(300))
            try await world.vault.revokeWhatWaits()
        }
        #expect(world.provider.calls(.revoke) == 5)
        #expect(world.provider.isAnyGrantRevoked)
        #expect(try world.records.status().revocations == 0)
        #expect(
            try world.happened == ["connection.connected", "connection.revoked", "connection.revocation_ended"])
        #expect(try world.events().map(\.facts.revoked) == [nil, "pending", "yes"])
        #expect(try world.records.verify().isSound)
    }

    @Test func survivesARestart() async throws {
        let (world, _) = try await start()
        let vault = try world.restarted()
        world.clock.advance(.seconds(60))
        try await vault.revokeWhatWaits()
        #expect(world.provider.isAnyGrantRevoked)
        #expect(try world.happened.last == "connection.revocation_ended")
    }

    @Test func isNotPutOffByAClockThatWasWrongOnce() async throws {
        let world = try await World(options: { $0.revocationLifetime = .seconds(3600) })
        let user = try await world.logIn("alice").record.user
        for _ in 0..<99 { world.provider.script(.revoke, .answer(503, "")) }
        let years = Duration.seconds(315_576_000)
        world.clock.step(years)
        #expect(try await world.vault.disconnect(user, from: World.first).revoked == .pending)
        let known = world.provider.calls(.revoke)
        world.clock.step(.zero - years)
        _ = try await world.administration.all(.acceptClock)
        try await world.vault.revokeWhatWaits()
        #expect(world.provider.calls(.revoke) == known + 1)
        // Nor is it tried for longer.
        for _ in 0..<10 {
            world.clock.advance(.seconds(600))
            try await world.vault.revokeWhatWaits()
        }
        #expect(try world.records.status().revocations == 0)
    }

    @Test func isGivenUpAndTheTokensGo() async throws {
        let (world, _) = try await start(options: { $0.revocationLifetime = .seconds(3600) })
        for _ in 0..<100 { world.provider.script(.revoke, .answer(503, "")) }
        for _ in 0..<10 {
            world.clock.advance(.seconds(600))
            try await world.vault.revokeWhatWaits()
        }
        #expect(world.provider.calls(.revoke) <= 10)
        #expect(try world.records.status().revocations == 0)
        #expect(try world.events().last?.facts.revoked == "no")
        #expect(try world.happened.count { $0 == "connection.revocation_ended" } == 1)
    }

    @Test func aRefusalEndsIt() async throws {
        let (world, _) = try await start()
        world.provider.script(.revoke, .answer(401, "{\"error\":\"invalid_client\"}"))
        world.clock.advance(.seconds(60))
        try await world.vault.revokeWhatWaits()
        #expect(try world.events().last?.facts.revoked == "no")
        #expect(try world.records.status().revocations == 0)
    }

    @Test func aNewConsentOfTheAccountWinsOverALateRevocation() async throws {
        let (world, _) = try await start()
        // Another user of ours, the same account of theirs: a revocation now could end the new grant too.
        try await world.logIn("alice")
        world.clock.advance(.seconds(600))
        try await world.vault.revokeWhatWaits()
        #expect(world.provider.calls(.revoke) == 2)
        #expect(!world.provider.isAnyGrantRevoked)
        #expect(try world.records.status().revocations == 0)
    }

    @Test func doesNotHammerAPlatformThatAskedForPatience() async throws {
        let (world, _) = try await start()
        world.provider.script(.revoke, .answer(429, "", [("Retry-After", "1000")]))
        world.clock.advance(.seconds(60))
        for _ in 0..<10 {
            try await world.vault.revokeWhatWaits()
            world.clock.advance(.seconds(90))
        }
        #expect(world.provider.calls(.revoke) == 3)
    }

    @Test func aPlatformWithoutAPluginIsWaitedFor() async throws {
        let world = try await World()
        let user = try await world.logIn("alice").record.user
        let broken = PlatformDirectory.Entry(
            name: World.first, displayName: "First", platform: nil,
            fault: VaultError(.platformUnavailable, "its plugin is not there"))
        let vault = try world.restarted(platforms: PlatformDirectory([broken]))
        #expect(try await vault.disconnect(user, from: World.first).revoked == .pending)
        world.clock.advance(.seconds(600))
        try await world.restarted().revokeWhatWaits()
        #expect(world.provider.isAnyGrantRevoked)
    }
}

/// A platform that asks for patience gets it from everything nobody waits for.
@Suite struct CooldownTests {
    private func start() async throws -> (World, UserID) {
        let world = try await World(options: { $0.refreshAhead = true })
        let user = try await world.logIn("alice").record.user
        try await world.logIn("bob")
        world.provider.script(.refresh, .answer(429, "{}", [("Retry-After", "5000")]))
        _ = await code { try await world.vault.refresh(user, at: World.first) }
        // Both are due by now.
        world.clock.advance(.seconds(3500))
        return (world, user)
    }

    @Test func refreshAheadLeavesItAloneForAsLongAsItAsked() async throws {
        let (world, _) = try await start()
        try await world.vault.refreshAhead()
        #expect(world.provider.calls(.refresh) == 1)
        world.clock.advance(.seconds(1500))
        try await world.vault.refreshAhead()
        #expect(world.provider.calls(.refresh) > 1)
    }

    @Test func aRestartDoesNotForgetIt() async throws {
        let (world, _) = try await start()
        let vault = try world.restarted()
        try await vault.refreshAhead()
        #expect(world.provider.calls(.refresh) == 1)
        #expect(vault.cooldowns.count(now: world.clock.now()) == 1)
    }

    @Test func itIsThePlatformsAlone() async throws {
        let (world, _) = try await start()
        try await world.logIn("carol", at: World.second)
        world.clock.advance(.seconds(3500))
        world.clock.advance(.zero - .seconds(3000))
        #expect(world.vault.isCallable(World.second) && !world.vault.isCallable(World.first))
    }
}
