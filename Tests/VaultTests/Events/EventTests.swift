import Synchronization
import Testing
import VaultBase
import VaultProviders
import VaultRecords

@testable import Vault

/// Which change makes which event, and that it makes one.
@Suite struct EventTests {
    @Test func aConsentMakesOneEventAndSoDoesTheNext() async throws {
        let world = try await World()
        let login = try await world.begin("alice")
        for _ in 0..<5 { _ = try await world.complete(login) }
        #expect(try world.happened == ["connection.connected"])
        try await world.logIn("alice")
        #expect(try world.happened == ["connection.connected", "connection.connected"])
    }

    @Test func aDeadGrantMakesOneEventHoweverOftenItIsRead() async throws {
        let world = try await World()
        let user = try await world.logIn("alice").record.user
        world.provider.script(.refresh, .answer(400, "{\"error\":\"invalid_grant\"}"))
        #expect(await code { try await world.vault.refresh(user, at: World.first) } == .reconnect)
        for _ in 0..<1000 { _ = await code { try await world.vault.token(for: user, at: World.first) } }
        for _ in 0..<10 { _ = await code { try await world.vault.refresh(user, at: World.first) } }
        #expect(world.provider.calls(.refresh) == 1)
        let events = try world.events().filter { $0.kind == .reconnectNeeded }
        #expect(events.map(\.facts.reason) == ["invalid_grant"])
        try await world.logIn("alice")
        #expect(try world.happened.count { $0 == "connection.connected" } == 2)
    }

    @Test func aLateRefusalOfAnOldTokenMakesNone() async throws {
        let world = try await World()
        let user = try await world.logIn("alice").record.user
        let gate = Gate()
        world.provider.script(.refresh, .wait(gate))
        let late = Task { try? await world.vault.refresh(user, at: World.first) }
        await gate.waitForArrivals()
        // The old token dies with the new consent, so the provider refuses what waits.
        try await world.logIn("alice")
        world.provider.state.withLock { $0.grants[0].isRevoked = true }
        gate.open()
        _ = await late.value
        #expect(try world.happened == ["connection.connected", "connection.connected"])
    }

    @Test func uncertainThenRefreshedAfterFailure() async throws {
        let world = try await World()
        let user = try await world.logIn("alice").record.user
        world.provider.script(.refresh, .fail(ProviderFailure(failure: .retry, code: "timeout")))
        _ = await code { try await world.vault.refresh(user, at: World.first) }
        _ = await code { try await world.vault.token(for: user, at: World.first) }
        #expect(try world.happened.last == "connection.uncertain")
        world.clock.advance(.seconds(600))
        _ = try await world.vault.refresh(user, at: World.first)
        _ = try await world.vault.refresh(user, at: World.first)
        #expect(
            try world.happened == [
                "connection.connected", "connection.uncertain", "connection.refreshed_after_failure",
            ])
    }

    @Test func aCrashInARedemptionIsToldOnce() async throws {
        let world = try await World()
        let user = try await world.logIn("alice").record.user
        let connection = try world.connection(user)
        try await world.records.write {
            try $0.begin(
                Redemption(
                    user: user, platform: World.first, generation: connection.generation, begunAt: world.clock.now()))
        }
        let vault = try world.restarted()
        try await vault.recover()
        try await vault.recover()
        #expect(try world.happened == ["connection.connected", "connection.uncertain"])
    }

    @Test func aNarrowerScopeIsToldAtConsentAndAtRefresh() async throws {
        let world = try await World()
        let narrower = #"{"access_token":"access-0-1","refresh_token":"r","scope":"read","expires_in":60}"#
        world.provider.script(.exchange, .answer(200, narrower))
        world.provider.state.withLock { $0.grants.append(.init(subject: "alice", refreshToken: "r")) }
        let user = try await world.logIn("alice").record.user
        #expect(try world.events().last?.facts.missingScope == "write")
        for _ in 0..<2 {
            world.provider.script(
                .refresh, .answer(200, "{\"access_token\":\"a\",\"scope\":\"other\",\"expires_in\":60}"))
            _ = try await world.vault.refresh(user, at: World.first)
        }
        #expect(
            try world.happened == [
                "connection.connected", "connection.scope_narrowed", "connection.scope_narrowed",
            ])
        #expect(try world.events().last?.facts.missingScope == "read")
    }

    @Test func aDisconnectIsTold() async throws {
        let world = try await World()
        let user = try await world.logIn("alice").record.user
        _ = try await world.vault.disconnect(user, from: World.first, by: "operator")
        let last = try #require(try world.events().last)
        #expect(last.kind == .revoked && last.facts.revoked == "yes" && last.facts.by == "operator")
    }

    @Test func anEventIsThereOnlyIfItsChangeIs() async throws {
        let world = try await World()
        let user = try await world.logIn("alice").record.user
        world.provider.script(.refresh, .answer(400, "{\"error\":\"invalid_grant\"}"))
        world.store.fail(with: FragileStore.full, after: 1)
        _ = await code { try await world.vault.refresh(user, at: World.first) }
        world.store.fail(with: nil)
        #expect(try world.connection(user).health == .healthy)
        #expect(try world.happened == ["connection.connected"])
    }

    @Test func whenThereAreTooManyTheOldestMakeRoom() async throws {
        let world = try await World(options: { $0.eventLimit = 3 })
        for number in 0..<5 { try await world.logIn("user-\(number)") }
        let events = try world.events()
        #expect(events.count == 3)
        #expect(events.map(\.number) == events.map(\.number).sorted())
        #expect(try world.records.verify().isSound)
    }

    @Test func anEventHoldsNoToken() async throws {
        let world = try await World(options: { $0.webhooks = [Receiver.webhook()] })
        let receiver = Receiver()
        let vault = try world.restarted(webhooks: receiver)
        let user = try await world.logIn("alice").record.user
        world.provider.script(.refresh, .answer(400, "{\"error\":\"invalid_grant\"}"))
        _ = await code { try await vault.refresh(user, at: World.first) }
        _ = try await vault.disconnect(user, from: World.first)
        try await world.tellAll(vault)
        #expect(receiver.told.count == 3)
        for text in receiver.told.map(\.body) + world.logs.lines {
            for secret in ["access-0", "refresh-0", "client-secret", "MfKQ9r8"] {
                #expect(!text.contains(secret), "\(text)")
            }
        }
    }
}
