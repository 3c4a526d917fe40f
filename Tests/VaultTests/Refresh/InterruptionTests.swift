import Synchronization
import Testing
import VaultBase
import VaultProviders
import VaultRecords

@testable import Vault

/// What stands between a provider's answer and a durable record: crashes, lost answers, full disks.
@Suite struct InterruptionTests {
    @Test func theIntentIsDurableBeforeTheTokenIsSent() async throws {
        let world = try await World()
        let user = try await world.logIn("alice").record.user
        let gate = Gate()
        world.provider.script(.refresh, .wait(gate))
        let caller = Task { try await world.vault.refresh(user, at: World.first) }
        await gate.waitForArrivals()
        let open = try Records.open(world.store, rootKey: world.key, clock: world.clock)
        #expect(
            try open.read { try $0.redemptions() } == [
                Redemption(user: user, platform: World.first, generation: 1, begunAt: HandClock.start)
            ])
        gate.open()
        _ = try await caller.value
        #expect(try world.records.read { try $0.redemptions() } == [])
    }

    @Test func aCrashLeavesUncertaintyAndNoReplay() async throws {
        let world = try await World()
        let user = try await world.logIn("alice").record.user
        let gate = Gate()
        world.provider.script(.refresh, .wait(gate))
        let dying = Task { try await world.vault.refresh(user, at: World.first) }
        await gate.waitForArrivals()

        let vault = try world.restarted()
        try await vault.recover()
        #expect(try world.connection(user).health == .uncertain)
        #expect(try world.records.read { try $0.redemptions() } == [])
        // The access token is as good as it was, and handed out to its last second; nobody is asked.
        let held = try world.connection(user).accessToken
        for _ in 0..<10 {
            #expect(try await vault.token(for: user, at: World.first).accessToken == held)
            world.clock.advance(.milliseconds(359_900))
        }
        #expect(world.provider.calls(.refresh) == 1)
        // It has ended. The first process did not redeem after all: the one deliberate probe heals the connection.
        world.clock.advance(.seconds(1))
        #expect(try await vault.token(for: user, at: World.first).accessToken != held)
        #expect(try world.connection(user).health == .healthy)
        #expect(world.provider.calls(.refresh) == 2)
        gate.open()
        _ = try? await dying.value
    }

    @Test func whoAsksWhenTheAccessTokenHasEndedLearnsTheOutcome() async throws {
        let world = try await World()
        let user = try await world.logIn("alice").record.user
        world.clock.advance(.seconds(3600))
        world.provider.script(.refresh, .lose("connection-lost"))
        #expect(await code { try await world.vault.token(for: user, at: World.first) } == .retry)
        #expect(try world.connection(user).health == .uncertain)
        // Not before the back-off is over, and the answer says when.
        do {
            _ = try await world.vault.token(for: user, at: World.first)
            Issue.record("an ended token was handed out")
        } catch let error as VaultError {
            #expect(error.code == .uncertain && (error.retryAfter ?? .zero) > .zero)
        }
        #expect(world.provider.calls(.refresh) == 1)
        world.clock.advance(.seconds(10))
        for _ in 0..<5 {
            #expect(await code { try await world.vault.token(for: user, at: World.first) } == .reconnect)
        }
        #expect(world.provider.calls(.refresh) == 2)
    }

    @Test func refreshAheadNeverProbes() async throws {
        let world = try await World(options: { $0.refreshAhead = true })
        let user = try await world.logIn("alice").record.user
        world.provider.script(.refresh, .lose("connection-lost"))
        #expect(await code { try await world.vault.refresh(user, at: World.first) } == .retry)
        try await world.update(user) { $0.dueAt = HandClock.start }
        world.clock.advance(.seconds(7200))
        try await world.vault.refreshAhead()
        #expect(world.provider.calls(.refresh) == 1)
        #expect(try world.connection(user).health == .uncertain)
    }

    @Test func aRefusalOfTheApplicationDoesNotEraseTheDoubt() async throws {
        let world = try await World()
        let user = try await world.logIn("alice").record.user
        world.provider.script(
            .refresh, .lose("connection-lost"), .answer(401, "{\"error\":\"invalid_client\"}"))
        #expect(await code { try await world.vault.refresh(user, at: World.first) } == .retry)
        world.clock.advance(.seconds(10))
        #expect(await code { try await world.vault.refresh(user, at: World.first) } == .operatorAction)
        #expect(try world.connection(user).health == .uncertain)
        // Near its end a token whose connection is only `operator` would be refreshed; this one is not sent again.
        let ends = try #require(try world.connection(user).expiresAt)
        world.clock.advance(ends - world.clock.now() - .seconds(1))
        _ = try await world.vault.token(for: user, at: World.first)
        #expect(world.provider.calls(.refresh) == 2)
    }

    @Test func aProbeOfASpentTokenAsksForReconnecting() async throws {
        let world = try await World()
        let user = try await world.logIn("alice").record.user
        world.provider.script(.refresh, .lose("connection-lost"))
        #expect(await code { try await world.vault.refresh(user, at: World.first) } == .retry)
        #expect(try world.connection(user).health == .uncertain)
        world.clock.advance(.seconds(10))
        #expect(await code { try await world.vault.refresh(user, at: World.first) } == .reconnect)
        #expect(await code { try await world.vault.refresh(user, at: World.first) } == .reconnect)
        #expect(world.provider.calls(.refresh) == 2)
    }

    @Test func aLostAnswerIsAskedForAgainWhereTokensAreNotSingleUse() async throws {
        let world = try await World(description: { $0.refresh = .keepIfAbsent })
        world.provider.state.withLock { $0.rotates = false }
        let user = try await world.logIn("alice").record.user
        world.provider.script(.refresh, .lose("timeout"))
        #expect(await code { try await world.vault.refresh(user, at: World.first) } == .retry)
        #expect(try world.connection(user).health == .healthy)
        world.clock.advance(.seconds(3600))
        _ = try await world.vault.token(for: user, at: World.first)
    }

    @Test(arguments: ["{\"access_tok", "<html>", ""])
    func aSuccessThatCannotBeReadIsALostAnswer(body: String) async throws {
        let world = try await World()
        let user = try await world.logIn("alice").record.user
        world.provider.script(.refresh, .answer(200, body))
        #expect(await code { try await world.vault.refresh(user, at: World.first) } == .retry)
        #expect(try world.connection(user).health == .uncertain)
    }

    @Test func aVaultThatNeverRanItsServiceStillSeesALeftover() async throws {
        let world = try await World()
        let user = try await world.logIn("alice").record.user
        try await world.records.write { transaction in
            try transaction.begin(
                Redemption(user: user, platform: World.first, generation: 1, begunAt: HandClock.start))
        }
        let ends = try #require(try world.connection(user).expiresAt)
        world.clock.advance(ends - HandClock.start - .seconds(1))
        _ = try await world.vault.token(for: user, at: World.first)
        #expect(try world.connection(user).health == .uncertain)
        #expect(world.provider.calls(.refresh) == 0)
    }

    @Test func aLeftoverOfAnOlderGenerationChangesNothing() async throws {
        let world = try await World()
        let user = try await world.logIn("alice").record.user
        let leftover = Redemption(user: user, platform: World.first, generation: 0, begunAt: HandClock.start)
        try await world.records.write { try $0.begin(leftover) }
        try await world.restarted().recover()
        #expect(try world.connection(user).health == .healthy)
        #expect(try world.records.read { try $0.redemptions() } == [])
    }

    @Test func recoveryDoesNotTouchAFlightOfThisProcess() async throws {
        let world = try await World()
        let user = try await world.logIn("alice").record.user
        try await world.records.write { transaction in
            try transaction.begin(
                Redemption(user: user, platform: World.first, generation: 1, begunAt: HandClock.start))
        }
        let vault = try world.restarted()
        world.clock.advance(.seconds(1))
        // A request comes before the service begins its recovery.
        _ = try await vault.refresh(user, at: World.first)
        try await vault.recover()
        #expect(try world.connection(user).health == .healthy)
    }

    @Test func newTokensWaitForTheStore() async throws {
        let world = try await World()
        let user = try await world.logIn("alice").record.user
        let before = try world.connection(user)
        world.store.fail(with: FragileStore.full, after: 1)
        #expect(await code { try await world.vault.refresh(user, at: World.first) } == .full)
        #expect(try world.connection(user) == before)
        // Asked again while it is still full: the spent token stays where it is.
        #expect(await code { try await world.vault.refresh(user, at: World.first) } == .full)
        #expect(world.provider.calls(.refresh) == 1)
        world.store.fail(with: nil)
        _ = try await world.vault.refresh(user, at: World.first)
        #expect(world.provider.calls(.refresh) == 1)
        let after = try world.connection(user)
        #expect(after.generation == before.generation + 1)
        #expect(after.refreshToken != before.refreshToken)
        #expect(try world.records.read { try $0.redemptions() } == [])
        _ = try await world.vault.refresh(user, at: World.first)
        #expect(!world.provider.isAnyGrantRevoked)
    }

    @Test func theServiceStoresWhatWaits() async throws {
        let world = try await World()
        let user = try await world.logIn("alice").record.user
        world.store.fail(with: FragileStore.full, after: 1)
        #expect(await code { try await world.vault.refresh(user, at: World.first) } == .full)
        world.store.fail(with: nil)
        await world.vault.saveWhatWaits()
        #expect(try world.connection(user).generation == 2)
        #expect(world.vault.refresher.unsaved.withLock { $0.isEmpty })
    }

    @Test func tokensThatWaitedLoseToANewConsent() async throws {
        let world = try await World()
        let user = try await world.logIn("alice").record.user
        world.store.fail(with: FragileStore.full, after: 1)
        #expect(await code { try await world.vault.refresh(user, at: World.first) } == .full)
        world.store.fail(with: nil)
        try await world.logIn("alice")
        let winner = try world.connection(user)
        await world.vault.saveWhatWaits()
        #expect(try world.connection(user) == winner)
    }

    @Test func aCrashWhileTokensWaitIsVisibleAfterwards() async throws {
        let world = try await World()
        let user = try await world.logIn("alice").record.user
        world.store.fail(with: FragileStore.full, after: 1)
        #expect(await code { try await world.vault.refresh(user, at: World.first) } == .full)
        world.store.fail(with: nil)
        try await world.restarted().recover()
        #expect(try world.connection(user).health == .uncertain)
        #expect(world.provider.calls(.refresh) == 1)
    }

    @Test func nothingIsSentWhenTheIntentCannotBeStored() async throws {
        let world = try await World()
        let user = try await world.logIn("alice").record.user
        world.store.fail(with: FragileStore.full)
        #expect(await code { try await world.vault.refresh(user, at: World.first) } == .full)
        #expect(world.provider.calls(.refresh) == 0)
        // And what can be read is served.
        _ = try await world.vault.token(for: user, at: World.first)
    }
}
