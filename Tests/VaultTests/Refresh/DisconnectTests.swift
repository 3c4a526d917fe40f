import Testing
import VaultBase
import VaultProviders
import VaultRecords

@testable import Vault

@Suite struct DisconnectTests {
    @Test func revokesAndDeletes() async throws {
        let world = try await World()
        let user = try await world.logIn("alice").record.user
        let token = try #require(try world.connection(user).refreshToken).reveal()
        let result = try await world.vault.disconnect(user, from: World.first)
        #expect(result.deleted && result.revoked == .yes)
        #expect(world.provider.sent("token", to: .revoke) == [token])
        #expect(try world.records.read { try $0.connections(of: user) } == [])
        #expect(await code { try await world.vault.disconnect(user, from: World.first) } == .noConnection)
    }

    @Test(arguments: [
        ([FakeProvider.Step.answer(503, "", [("Retry-After", "0")])], "yes", 2),
        ([.answer(503, ""), .answer(503, "")], "pending", 2),
        ([.answer(401, "{\"error\":\"invalid_client\"}")], "no", 1),
        ([.answer(200, "anything at all")], "yes", 1),
        ([.fail(ProviderFailure(failure: .retry, code: "dns-failed"))], "yes", 2),
    ])
    func saysHonestlyWhatBecameOfIt(steps: [FakeProvider.Step], revoked: String, calls: Int) async throws {
        let world = try await World()
        let user = try await world.logIn("alice").record.user
        for step in steps { world.provider.script(.revoke, step) }
        let result = try await world.vault.disconnect(user, from: World.first)
        #expect(result.deleted)
        #expect(result.revoked.rawValue == revoked)
        #expect(world.provider.calls(.revoke) == calls)
        #expect(try world.records.read { try $0.connections(of: user) } == [])
    }

    @Test func aProviderWithoutRevocationIsUnsupported() async throws {
        let world = try await World()
        let user = try await world.logIn("x", at: World.found).record.user
        #expect(try await world.vault.disconnect(user, from: World.found).revoked == .unsupported)
    }

    @Test(arguments: [(1, "yes"), (2, "unsupported")])
    func aTokenOfAKindTheProviderDoesNotRevokeMakesRoomForTheOther(refusals: Int, revoked: String) async throws {
        let world = try await World()
        let user = try await world.logIn("alice").record.user
        let connection = try world.connection(user)
        for _ in 0..<refusals {
            world.provider.script(.revoke, .answer(400, "{\"error\":\"unsupported_token_type\"}"))
        }
        let result = try await world.vault.disconnect(user, from: World.first)
        #expect(result.deleted && result.revoked.rawValue == revoked)
        #expect(
            world.provider.sent("token", to: .revoke)
                == [connection.refreshToken?.reveal(), connection.accessToken.reveal()])
        #expect(try world.events().last?.facts.revoked == revoked)
    }

    @Test func aTemporaryFailureOfTheOtherTokenIsTriedAgainLater() async throws {
        let world = try await World()
        let user = try await world.logIn("alice").record.user
        let refusal = FakeProvider.Step.answer(400, "{\"error\":\"unsupported_token_type\"}")
        world.provider.script(.revoke, refusal, .answer(503, ""), .answer(503, ""))
        #expect(try await world.vault.disconnect(user, from: World.first).revoked == .pending)
        world.provider.script(.revoke, refusal)
        world.clock.advance(.seconds(60))
        try await world.vault.revokeWhatWaits()
        #expect(try world.events().last?.facts.revoked == "yes")
        #expect(world.provider.calls(.revoke) == 5)
    }

    @Test func doesNotWaitForASlowProviderForEver() async throws {
        let world = try await World(options: { $0.revocationPatience = .milliseconds(20) })
        let user = try await world.logIn("alice").record.user
        world.provider.script(.revoke, .hang)
        let result = try await world.vault.disconnect(user, from: World.first)
        #expect(result.deleted && result.revoked == .pending)
        #expect(try world.records.read { try $0.connections(of: user) } == [])
    }

    @Test func deletesAlsoWhereThePlatformIsGone() async throws {
        let world = try await World()
        let user = try await world.logIn("alice").record.user
        let vault = try world.restarted(platforms: PlatformDirectory([]))
        let result = try await vault.disconnect(user, from: World.first)
        #expect(result.deleted && result.revoked == .no)
    }

    @Test func noRefreshBeginsWhileItRevokes() async throws {
        let world = try await World()
        let user = try await world.logIn("alice").record.user
        let gate = Gate()
        world.provider.script(.revoke, .wait(gate))
        async let result = world.vault.disconnect(user, from: World.first)
        await gate.waitForArrivals()
        #expect(await code { try await world.vault.refresh(user, at: World.first) } == .retry)
        #expect(world.provider.calls(.refresh) == 0)
        // What is there is still handed out.
        _ = try await world.vault.token(for: user, at: World.first)
        gate.open()
        #expect(try await result.revoked == .yes)
        #expect(world.provider.isAnyGrantRevoked)
        // The slot is free again: who connects anew can refresh.
        let again = try await world.logIn("alice").record.user
        _ = try await world.vault.refresh(again, at: World.first)
    }

    @Test func revokesTheTokensThatWaitForTheStore() async throws {
        let world = try await World()
        let user = try await world.logIn("alice").record.user
        world.store.fail(with: FragileStore.full, after: 1)
        #expect(await code { try await world.vault.refresh(user, at: World.first) } == .full)
        world.store.fail(with: nil)
        #expect(try await world.vault.disconnect(user, from: World.first).revoked == .yes)
        #expect(world.provider.isAnyGrantRevoked)
    }

    @Test func waitsForARefreshAndRevokesWhatItBrought() async throws {
        let world = try await World()
        let user = try await world.logIn("alice").record.user
        let gate = Gate()
        world.provider.script(.refresh, .wait(gate))
        let refresh = Task { try await world.vault.refresh(user, at: World.first) }
        await gate.waitForArrivals()
        async let result = world.vault.disconnect(user, from: World.first)
        gate.open()
        _ = try await refresh.value
        #expect(try await result.revoked == .yes)
        #expect(world.provider.isAnyGrantRevoked)
        #expect(world.provider.sent("token", to: .revoke).last?.hasPrefix("refresh-0-") == true)
        #expect(try world.records.read { try $0.connections(of: user) } == [])
    }
}
