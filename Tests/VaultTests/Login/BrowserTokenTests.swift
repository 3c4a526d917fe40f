import Synchronization
import Testing
import VaultBase
import VaultProviders
import VaultRecords

@testable import Vault

/// Logins at a platform that gives its token to the browser, which hands it in.
@Suite struct BrowserTokenTests {
    static func world() async throws -> World {
        let world = try await World(description: { description in
            guard description.discovery == .none else { return }
            description.flow = .browserToken
            description.refresh = .none
            description.accountID = .minted
            description.clientAuthentication = .none
            description.apiAuthentication = .header(name: "Music-User-Token", prefix: "")
            description.endpoints = .init()
            description.endpoints.validate = "\(description.issuer)/validate"
        })
        world.provider.state.withLock { $0.browserTokens = ["good", "better"] }
        return world
    }

    func begin(_ world: World, linking user: UserID? = nil, binding: Secret? = nil) async throws -> LoginStart {
        try await world.vault.beginLogin(
            at: World.first, linking: user, returnTo: nil, scopes: nil, binding: binding)
    }

    func handIn(_ token: String, _ start: LoginStart, _ world: World) async throws -> LoginEnd {
        try await world.vault.completeLogin(
            at: World.first, state: start.handover?.state ?? "", token: Secret(token), binding: start.binding)
    }

    @Test func aTokenThatHoldsBecomesAConnection() async throws {
        let world = try await Self.world()
        let start = try await begin(world)
        #expect(start.authorizationURL.isEmpty)
        let session = try #require(try await handIn("good", start, world).session)
        let connection = try world.connection(session.record.user)
        #expect(connection.accessToken == Secret("good"))
        #expect(connection.refreshToken == nil && connection.expiresAt == nil && connection.dueAt == nil)
        #expect(connection.health == .healthy)
        #expect(try await world.vault.token(for: session.record.user, at: World.first).accessToken == Secret("good"))
        #expect(world.provider.calls(.validate) == 1)
        #expect(world.provider.calls(.exchange) + world.provider.calls(.profile) == 0)
    }

    @Test func theStateWorksOnceAndInOneBrowser() async throws {
        let world = try await Self.world()
        let start = try await begin(world)
        let state = try #require(start.handover?.state)
        #expect(state.utf8.count >= 22)
        func refused(_ state: String, _ token: String, _ binding: Secret?, at platform: PlatformName = World.first)
            async
            -> VaultError.Code?
        {
            await code {
                try await world.vault.completeLogin(at: platform, state: state, token: Secret(token), binding: binding)
            }
        }
        #expect(await refused(state, "good", nil) == .forbidden)
        #expect(await refused(state, "good", Secret("another")) == .forbidden)
        #expect(await refused(state + "x", "good", start.binding) == .forbidden)
        #expect(await refused("", "good", start.binding) == .forbidden)
        #expect(await refused(state, "good", start.binding, at: World.second) == .forbidden)
        // Never by a URL (RFC 9700 §2.1.2).
        #expect(
            await code {
                try await world.vault.completeLogin(
                    at: World.first, parameters: [("state", state), ("code", "good")], binding: start.binding)
            } == .forbidden)
        #expect(world.provider.calls(.validate) == 0)

        let first = try #require(try await handIn("good", start, world).session)
        let again = try #require(try await handIn("good", start, world).session)
        #expect(first.record == again.record)
        #expect(await refused(state, "better", start.binding) == .forbidden)
        #expect(world.provider.calls(.validate) == 1)
    }

    @Test func aLoginThatIsOverTakesNoToken() async throws {
        let world = try await Self.world()
        let start = try await begin(world)
        world.clock.advance(world.options.loginLifetime)
        #expect(await code { try await handIn("good", start, world) } == .forbidden)
    }

    @Test(arguments: [
        (FakeProvider.Step.answer(403, "{\"error\":\"invalid_token\"}"), "restart-login"),
        (.answer(401, ""), "restart-login"), (.answer(503, ""), "retry"), (.answer(429, "{}"), "retry"),
        (.answer(400, "{\"error\":\"invalid_client\"}"), "operator"),
        (.fail(ProviderFailure(failure: .retry, code: "timeout")), "retry"),
    ])
    func aTokenThatIsNotConfirmedIsNotKept(step: FakeProvider.Step, expected: String) async throws {
        let world = try await Self.world()
        world.provider.script(.validate, step)
        let start = try await begin(world)
        #expect(try await handIn("good", start, world).failure == expected)
        #expect(try world.records.status().connections == 0)
    }

    @Test(arguments: ["", "with space", "with\nline"]) func whatCannotBeATokenIsNotSent(_ token: String) async throws {
        let world = try await Self.world()
        let start = try await begin(world)
        #expect(try await handIn(token, start, world).failure == "restart-login")
        #expect(world.provider.calls(.validate) == 0)
    }

    @Test func aRefreshAsksWhetherTheTokenHolds() async throws {
        let world = try await Self.world()
        let session = try #require(try await handIn("good", try await begin(world), world).session)
        let user = session.record.user
        #expect(try await world.vault.refresh(user, at: World.first).accessToken == Secret("good"))
        #expect(try world.connection(user).health == .healthy)
        world.provider.script(.validate, .answer(503, ""))
        #expect(await code { try await world.vault.refresh(user, at: World.first) } == .retry)
        #expect(try world.connection(user).health == .healthy)
        world.clock.advance(.seconds(3600))
        world.provider.state.withLock { $0.browserTokens = [] }
        #expect(await code { try await world.vault.refresh(user, at: World.first) } == .reconnect)
        #expect(try world.connection(user).health == .reconnect(reason: "invalid_token"))
        #expect(await code { try await world.vault.token(for: user, at: World.first) } == .reconnect)
        let calls = world.provider.calls(.validate)
        #expect(await code { try await world.vault.refresh(user, at: World.first) } == .reconnect)
        #expect(world.provider.calls(.validate) == calls, "a dead token is asked about no more")

        // The same user connects again, and the connection is the same one.
        world.provider.state.withLock { $0.browserTokens = ["better"] }
        let subject = try world.connection(user).subject
        let again = try #require(
            try await handIn("better", try await begin(world, linking: user), world).session)
        #expect(again.record.user == user)
        #expect(try world.connection(user).subject == subject)
        #expect(try world.connection(user).health == .healthy)
    }

    @Test func withoutASessionEachLoginIsSomebodyNew() async throws {
        let world = try await Self.world()
        let first = try #require(try await handIn("good", try await begin(world), world).session)
        let second = try #require(try await handIn("good", try await begin(world), world).session)
        #expect(first.record.user != second.record.user)
    }
}
