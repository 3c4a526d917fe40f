import Synchronization
import Testing
import VaultBase
import VaultProviders
import VaultRecords

@testable import Vault

/// The duty to ask, where a provider has one, and what its answers mean.
@Suite struct ValidationTests {
    private func start() async throws -> (World, UserID) {
        let world = try await World(description: { description in
            guard description.discovery == .none else { return }
            description.endpoints.validate = description.issuer + "/validate"
            description.validateEvery = 3600
        })
        world.provider.state.withLock { $0.expiresIn = "14400" }
        return (world, try await world.logIn("alice").record.user)
    }

    @Test func asksEveryHourAndNotOftener() async throws {
        let (world, user) = try await start()
        for _ in 0..<18 {
            world.clock.advance(.seconds(600))
            try await world.vault.validate()
        }
        // The dice take a tenth off each hour.
        #expect((2...3).contains(world.provider.calls(.validate)))
        #expect(world.count("vault_validations_total", ("platform", "first"), ("outcome", "ok")) >= 2)
        #expect(try world.connection(user).health == .healthy)
        #expect(try world.records.verify().isSound)
        // The token's own end ends the asking.
        world.clock.advance(.seconds(14_400))
        let before = world.provider.calls(.validate)
        try await world.vault.validate()
        #expect(world.provider.calls(.validate) == before)
        #expect(try world.connection(user).validateAt == nil)
    }

    @Test func aRefusedTokenIsRefreshed() async throws {
        let (world, user) = try await start()
        world.clock.advance(.seconds(3600))
        world.provider.script(.validate, .answer(401, "{\"status\":401,\"message\":\"invalid access token\"}"))
        try await world.vault.validate()
        #expect(world.provider.calls(.refresh) == 1)
        #expect(try world.connection(user).health == .healthy)
        #expect(try world.happened == ["connection.connected"])
    }

    @Test func aRefusedGrantNeedsAConsentAndIsToldOnce() async throws {
        let (world, user) = try await start()
        world.clock.advance(.seconds(3600))
        world.provider.script(.validate, .answer(401, "{}"))
        world.provider.script(.refresh, .answer(400, "{\"error\":\"invalid_grant\"}"))
        for _ in 0..<10 {
            try await world.vault.validate()
            world.clock.advance(.seconds(3600))
        }
        #expect(world.provider.calls(.validate) == 1 && world.provider.calls(.refresh) == 1)
        #expect(try world.connection(user).health == .reconnect(reason: "invalid_grant"))
        #expect(try world.happened == ["connection.connected", "connection.reconnect_needed"])
    }

    @Test func withoutARefreshTokenTheRefusalIsTheEnd() async throws {
        let (world, user) = try await start()
        try await world.update(user) { $0.refreshToken = nil }
        world.clock.advance(.seconds(3600))
        world.provider.script(.validate, .answer(401, "{}"))
        try await world.vault.validate()
        #expect(try world.connection(user).health == .reconnect(reason: "http-401"))
        #expect(try world.happened == ["connection.connected", "connection.reconnect_needed"])
    }

    @Test(arguments: [
        FakeProvider.Step.answer(500, ""), .answer(503, "{\"error\":\"invalid_grant\"}"),
        .fail(ProviderFailure(failure: .retry, code: "dns-failed")),
    ]) func anOutageSaysNothingAboutTheToken(step: FakeProvider.Step) async throws {
        let (world, user) = try await start()
        world.clock.advance(.seconds(3600))
        world.provider.script(.validate, step)
        try await world.vault.validate()
        try await world.vault.validate()
        #expect(world.provider.calls(.validate) == 1 && world.provider.calls(.refresh) == 0)
        #expect(try world.connection(user).health == .healthy)
        world.clock.advance(Validations.postponement)
        try await world.vault.validate()
        #expect(world.provider.calls(.validate) == 2)
    }
}
