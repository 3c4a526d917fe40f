import Testing
import VaultBase
import VaultProviders
import VaultRecords

@testable import Vault

/// Tokens that are the application's own (RFC 6749 §4.4): asked for anew, by nobody's consent.
@Suite struct OwnTokenTests {
    static let user = (try? UserID("machine")) ?? { preconditionFailure() }()

    static func world(ahead: Bool = false) async throws -> World {
        try await World(
            options: { $0.refreshAhead = ahead },
            description: { description in
                guard description.discovery == .none else { return }
                description.flow = .clientCredentials
                description.refresh = .none
                description.accountID = .minted
                description.endpoints.authorize = ""
                description.endpoints.profile = ""
            })
    }

    static func answer(_ token: String) -> FakeProvider.Step {
        .answer(200, "{\"access_token\":\"\(token)\",\"expires_in\":3600,\"refresh_token\":\"never-kept\"}")
    }

    func connect(_ world: World) async throws {
        try await world.administration.perform(.refresh(user: Self.user.rawValue, platform: "first")) { _ in }
    }

    @Test func theOperatorConnectsAndNobodyElseDoes() async throws {
        let world = try await Self.world()
        #expect(await code { try await world.begin("alice") } == .badRequest)
        #expect(await code { try await world.vault.refresh(Self.user, at: World.first) } == .noConnection)
        world.provider.script(.exchange, Self.answer("one"))
        try await connect(world)
        let connection = try world.connection(Self.user)
        #expect(connection.accessToken == Secret("one") && connection.refreshToken == nil)
        #expect(world.provider.sent("grant_type", to: .exchange) == ["client_credentials"])
        #expect(try await world.vault.token(for: Self.user, at: World.first).accessToken == Secret("one"))
    }

    @Test func aTokenNearItsEndIsAskedForAnew() async throws {
        let world = try await Self.world()
        world.provider.script(.exchange, Self.answer("one"), Self.answer("two"), Self.answer("three"))
        try await connect(world)
        world.clock.advance(.seconds(3590))
        #expect(try await world.vault.token(for: Self.user, at: World.first).accessToken == Secret("two"))
        #expect(try await world.vault.refresh(Self.user, at: World.first).accessToken == Secret("three"))
        #expect(world.provider.sent("refresh_token", to: .exchange).isEmpty)
        #expect(try world.records.read { try $0.redemptions() }.isEmpty)
        world.clock.advance(.seconds(7200))
        #expect(try world.vault.connections(of: Self.user).map(\.health) == [.healthy])
    }

    @Test func aRefusalIsTheOperatorsAndTheNextTryMayWork() async throws {
        let world = try await Self.world()
        world.provider.script(.exchange, Self.answer("one"))
        try await connect(world)
        world.clock.advance(.seconds(3600))
        for body in ["invalid_client", "invalid_grant", "access_denied"] {
            world.provider.script(.exchange, .answer(400, "{\"error\":\"\(body)\"}"))
            #expect(await code { try await world.vault.refresh(Self.user, at: World.first) } == .operatorAction)
            #expect(try world.connection(Self.user).health == .operatorAction(reason: body))
            world.clock.advance(.seconds(3600))
        }
        world.provider.script(.exchange, Self.answer("two"))
        #expect(try await world.vault.token(for: Self.user, at: World.first).accessToken == Secret("two"))
        #expect(try world.connection(Self.user).health == .healthy)
    }

    @Test func refreshAheadLooksAtThem() async throws {
        let world = try await Self.world(ahead: true)
        world.provider.script(.exchange, Self.answer("one"), Self.answer("two"))
        try await connect(world)
        #expect(try world.connection(Self.user).dueAt != nil)
        world.clock.advance(.seconds(3500))
        try await world.vault.refreshAhead()
        #expect(try world.connection(Self.user).accessToken == Secret("two"))
    }
}
