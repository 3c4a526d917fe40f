import Synchronization
import Testing
import VaultBase
import VaultProviders
import VaultRecords

@testable import Vault

/// The bug table at the end of the field study, one test a line where it concerns refreshing.
@Suite struct RefreshTests {
    @Test func twoHundredCallersShareOneRedemption() async throws {
        let world = try await World()
        let user = try await world.logIn("alice").record.user
        world.clock.advance(.seconds(3600))
        let gate = Gate()
        world.provider.script(.refresh, .wait(gate))
        let tokens = try await withThrowingTaskGroup(of: Secret.self) { group in
            for number in 0..<200 {
                group.addTask {
                    number.isMultiple(of: 2)
                        ? try await world.vault.token(for: user, at: World.first).accessToken
                        : try await world.vault.refresh(user, at: World.first).accessToken
                }
            }
            await gate.waitForArrivals()
            gate.open()
            return try await group.reduce(into: Set()) { $0.insert($1) }
        }
        #expect(tokens.count == 1)
        #expect(world.provider.calls(.refresh) == 1)
        #expect(!world.provider.isAnyGrantRevoked)
        #expect(world.vault.refresher.flights.count == 0)
    }

    @Test func eachExplicitRefreshRedeemsAnew() async throws {
        let world = try await World()
        let user = try await world.logIn("alice").record.user
        for count in 1...3 {
            _ = try await world.vault.refresh(user, at: World.first)
            #expect(world.provider.calls(.refresh) == count)
        }
        #expect(Set(world.provider.sent("refresh_token", to: .refresh)).count == 3)
    }

    @Test func aFlightThatFoundNothingToDoIsNoRefresh() async throws {
        let world = try await World()
        let user = try await world.logIn("alice").record.user
        let name = ConnectionName(user: user, platform: World.first)
        // Somebody asks for a fresh token while it is fresh; the explicit refresh that joins still redeems.
        _ = try await world.vault.refresher.refresh(name, .fresh)
        #expect(world.provider.calls(.refresh) == 0)
        _ = try await world.vault.refresher.refresh(name, .newer(than: 1))
        #expect(world.provider.calls(.refresh) == 1)
        // Who asked before that redemption has what they asked for.
        _ = try await world.vault.refresher.refresh(name, .newer(than: 1))
        #expect(world.provider.calls(.refresh) == 1)
    }

    @Test func aCallerWhoGoesAwayDoesNotStopTheRedemption() async throws {
        let world = try await World()
        let user = try await world.logIn("alice").record.user
        let gate = Gate()
        world.provider.script(.refresh, .wait(gate))
        let caller = Task { try await world.vault.refresh(user, at: World.first) }
        await gate.waitForArrivals()
        caller.cancel()
        gate.open()
        await world.vault.refresher.flights.drain()
        #expect(try world.connection(user).generation == 2)
        #expect(try world.records.read { try $0.redemptions() } == [])
        _ = try await world.vault.refresh(user, at: World.first)
        #expect(!world.provider.isAnyGrantRevoked)
    }

    @Test func aLateRefusalOfAnOldGrantHarmsNothing() async throws {
        let world = try await World()
        let user = try await world.logIn("alice").record.user
        let gate = Gate()
        world.provider.script(.refresh, .wait(gate))
        let old = Task { try await world.vault.refresh(user, at: World.first) }
        await gate.waitForArrivals()
        // The old grant dies at the provider, the user consents again, and only then comes the refusal.
        world.provider.state.withLock { $0.grants[0].isRevoked = true }
        try await world.logIn("alice")
        let winner = try world.connection(user)
        gate.open()
        #expect(try await old.value.accessToken == winner.accessToken)
        #expect(try world.connection(user) == winner)
        #expect(winner.health == .healthy)
    }

    @Test func aReconsentDuringARefreshIsNotOverwritten() async throws {
        let world = try await World()
        let user = try await world.logIn("alice").record.user
        let gate = Gate()
        world.provider.script(.refresh, .wait(gate))
        let old = Task { try await world.vault.refresh(user, at: World.first) }
        await gate.waitForArrivals()
        try await world.logIn("alice")
        let winner = try world.connection(user)
        gate.open()
        // The redemption went well, and still loses.
        #expect(try await old.value.accessToken == winner.accessToken)
        #expect(try world.connection(user) == winner)
        #expect(try world.records.read { try $0.redemptions() } == [])
    }

    @Test func aGrantThatChangedBeforeTheJournalIsReadAgain() async throws {
        let world = try await World()
        let session = try await world.logIn("x", at: World.found)
        let user = session.record.user
        // Metadata has to be fetched anew after a restart: in that gap the grant is replaced.
        let gate = Gate()
        world.provider.script(.metadata, .wait(gate))
        let vault = try world.restarted()
        let old = try world.connection(user, World.found)
        let caller = Task { try await vault.refresh(user, at: World.found) }
        await gate.waitForArrivals()
        try await world.records.write { transaction in
            var connection = old
            connection.generation += 1
            connection.refreshToken = Secret("replaced")
            try transaction.put(connection, expecting: nil)
        }
        gate.open()
        let answer = try await caller.value
        #expect(world.provider.calls(.refresh) == 0)
        #expect(answer.accessToken == old.accessToken)
    }

    @Test(arguments: [
        ("", "old"), (",\"refresh_token\":null", "old"), (",\"refresh_token\":\"\"", "old"),
        (",\"refresh_token\":\"SAME\"", "same"), (",\"refresh_token\":\"brand-new\"", "brand-new"),
    ])
    func keepsOrReplacesTheRefreshToken(member: String, expected: String) async throws {
        let world = try await World()
        let user = try await world.logIn("alice").record.user
        let old = try #require(try world.connection(user).refreshToken).reveal()
        let body =
            "{\"access_token\":\"a2\",\"token_type\":\"bearer\",\"expires_in\":60"
            + member.replacing("SAME", with: old) + "}"
        world.provider.script(.refresh, .answer(200, body))
        let token = try await world.vault.refresh(user, at: World.first)
        #expect(token.accessToken.reveal() == "a2")
        let stored = try #require(
            try Records.open(world.store, rootKey: world.key, clock: world.clock)
                .read { try $0.connection(user, World.first) }?.refreshToken)
        #expect(stored.reveal() == (expected == "brand-new" ? "brand-new" : old))
    }

    // MARK: Failures

    @Test(arguments: [
        FakeProvider.Step.fail(ProviderFailure(failure: .retry, code: "dns-failed")),
        .fail(ProviderFailure(failure: .retry, code: "connect-failed")),
        .answer(408, ""), .answer(429, "{\"error\":\"invalid_grant\"}"), .answer(500, ""),
        .answer(503, "{\"error\":\"invalid_grant\"}"), .answer(400, "<html>Bad Request</html>"),
        .answer(403, "<html>Forbidden</html>"),
    ])
    func aPassingFailureKeepsTheGrant(step: FakeProvider.Step) async throws {
        let world = try await World()
        let user = try await world.logIn("alice").record.user
        let before = try world.connection(user)
        world.provider.script(.refresh, step)
        #expect(await code { try await world.vault.refresh(user, at: World.first) } == .retry)
        #expect(try world.connection(user) == before)
        #expect(try world.records.read { try $0.redemptions() } == [])
        world.clock.advance(.seconds(700))
        _ = try await world.vault.refresh(user, at: World.first)
    }

    @Test func backsOffAndComesBack() async throws {
        let world = try await World()
        let user = try await world.logIn("alice").record.user
        world.provider.script(.refresh, .answer(503, ""), .answer(429, "", [("Retry-After", "1000")]))
        #expect(await code { try await world.vault.refresh(user, at: World.first) } == .retry)
        for _ in 0..<50 {
            #expect(await code { try await world.vault.refresh(user, at: World.first) } == .retry)
        }
        #expect(world.provider.calls(.refresh) == 1)
        world.clock.advance(.seconds(3))
        #expect(await code { try await world.vault.refresh(user, at: World.first) } == .retry)
        #expect(world.provider.calls(.refresh) == 2)
        world.clock.advance(.seconds(999))
        do {
            _ = try await world.vault.refresh(user, at: World.first)
            Issue.record("it should still back off")
        } catch let error as VaultError {
            #expect(error.retryAfter == .seconds(1))
        }
        #expect(world.provider.calls(.refresh) == 2)
        world.clock.advance(.seconds(1))
        _ = try await world.vault.refresh(user, at: World.first)
        #expect(world.vault.refresher.backoff.count == 0)
    }

    @Test func aValidTokenIsServedWhileItsRefreshFails() async throws {
        let world = try await World()
        let user = try await world.logIn("alice").record.user
        let token = try world.connection(user).accessToken
        world.clock.advance(.seconds(3590))
        world.provider.script(.refresh, .answer(503, "", [("Retry-After", "600")]))
        #expect(try await world.vault.token(for: user, at: World.first).accessToken == token)
        #expect(try await world.vault.token(for: user, at: World.first).accessToken == token)
        #expect(world.provider.calls(.refresh) == 1)
        world.clock.advance(.seconds(10))
        #expect(await code { try await world.vault.token(for: user, at: World.first) } == .retry)
        #expect(world.provider.calls(.refresh) == 1)
    }

    @Test func aDeadGrantIsNeverSentAgain() async throws {
        let world = try await World(options: { $0.refreshAhead = true })
        let user = try await world.logIn("alice").record.user
        world.provider.state.withLock { $0.grants[0].isRevoked = true }
        #expect(await code { try await world.vault.refresh(user, at: World.first) } == .reconnect)
        #expect(try world.connection(user).health == .reconnect(reason: "invalid_grant"))
        #expect(try world.connection(user).dueAt == nil)
        for _ in 0..<500 {
            #expect(await code { try await world.vault.token(for: user, at: World.first) } == .reconnect)
            #expect(await code { try await world.vault.refresh(user, at: World.first) } == .reconnect)
        }
        for _ in 0..<24 {
            world.clock.advance(.seconds(3600))
            try await world.vault.refreshAhead()
        }
        #expect(world.provider.calls(.refresh) == 1)
        #expect(world.logs.lines.count { $0.contains("refresh.failed") } == 1)
        // A new consent works at once.
        try await world.logIn("alice")
        _ = try await world.vault.refresh(user, at: World.first)
    }

    @Test func anOperatorsFaultKeepsTheTokens() async throws {
        let world = try await World()
        let user = try await world.logIn("alice").record.user
        let before = try world.connection(user)
        world.provider.script(.refresh, .answer(401, "{\"error\":\"invalid_client\"}"))
        #expect(await code { try await world.vault.refresh(user, at: World.first) } == .operatorAction)
        let marked = try world.connection(user)
        #expect(marked.health == .operatorAction(reason: "invalid_client"))
        #expect(marked.refreshToken == before.refreshToken)
        _ = try await world.vault.token(for: user, at: World.first)
        world.clock.advance(.seconds(700))
        _ = try await world.vault.refresh(user, at: World.first)
        #expect(try world.connection(user).health == .healthy)
    }

    @Test func aRefreshAsksForNoMoreThanWasGranted() async throws {
        let world = try await World(description: { $0.sendsScopeOnTokenRequests = true })
        let user = try await world.logIn("alice").record.user
        try await world.update(user) { $0.scope = "read" }
        _ = try await world.vault.refresh(user, at: World.first)
        #expect(world.provider.sent("scope", to: .refresh) == ["read"])
    }

    @Test func aTokenIsPresentedWithNoOtherClient() async throws {
        let world = try await World()
        let user = try await world.logIn("alice").record.user
        var platform = try world.directory.platform(World.first)
        platform.clientID = "another"
        let vault = try world.restarted(
            platforms: PlatformDirectory([.init(name: World.first, displayName: "", platform: platform, fault: nil)]))
        #expect(await code { try await vault.refresh(user, at: World.first) } == .reconnect)
        #expect(world.provider.calls(.refresh) == 0)
        _ = try await world.vault.refresh(user, at: World.first)
    }

    @Test func aProviderThatMayStillBeAtItIsNotAskedAgain() async throws {
        let world = try await World()
        let user = try await world.logIn("alice").record.user
        world.provider.script(.refresh, .fail(ProviderFailure(failure: .retry, code: "timeout")))
        #expect(await code { try await world.vault.refresh(user, at: World.first) } == .retry)
        // Three times the 30 seconds a call may take, counted from its beginning.
        world.clock.advance(.seconds(59))
        #expect(await code { try await world.vault.refresh(user, at: World.first) } == .uncertain)
        #expect(world.provider.calls(.refresh) == 1)
        world.clock.advance(.seconds(1))
        _ = try await world.vault.refresh(user, at: World.first)
    }

    @Test func aHungProviderPoisonsNothing() async throws {
        let world = try await World(options: { $0.providerTimeout = .milliseconds(500) })
        let user = try await world.logIn("alice").record.user
        world.provider.script(.refresh, .hang)
        #expect(await code { try await world.vault.refresh(user, at: World.first) } == .retry)
        #expect(world.vault.refresher.flights.count == 0)
        world.clock.advance(.seconds(10))
        _ = try? await world.vault.refresh(user, at: World.first)
        #expect(world.provider.calls(.refresh) == 2)
    }
}
