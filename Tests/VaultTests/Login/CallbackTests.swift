import Testing
import VaultBase
import VaultProviders
import VaultRecords

@testable import Vault

@Suite struct CallbackTests {
    @Test func theSameCallbackFiveTimesInParallelIsOneExchange() async throws {
        let world = try await World()
        let login = try await world.begin("alice")
        let gate = Gate()
        world.provider.script(.exchange, .wait(gate))
        let ends = try await withThrowingTaskGroup(of: LoginEnd.self) { group in
            for _ in 0..<5 { group.addTask { try await world.complete(login) } }
            await gate.waitForArrivals()
            gate.open()
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(ends.count == 5)
        #expect(Set(ends.map { $0.session?.record.id }).count == 1)
        #expect(ends.allSatisfy { $0.failure == nil })
        #expect(world.provider.calls(.exchange) == 1)
    }

    @Test func theSameCallbackLaterGetsAFreshTokenOfTheSameSession() async throws {
        let world = try await World()
        let login = try await world.begin("alice")
        let first = try #require(try await world.complete(login).session)
        world.clock.advance(.seconds(30))
        let again = try #require(try await world.complete(login, vault: try world.restarted()).session)
        #expect(again.record == first.record)
        #expect(again.token != first.token)
        #expect(try world.vault.session(again.token) == first.record)
        #expect(world.provider.calls(.exchange) == 1)
    }

    @Test func anOldCallbackDoesNotLogInAgainAfterLoggingOut() async throws {
        let world = try await World()
        let login = try await world.begin("alice")
        let session = try #require(try await world.complete(login).session)
        try await world.vault.revoke(session.record)
        #expect(try await world.complete(login).failure == "restart-login")
    }

    @Test func anotherBrowserIsForbidden() async throws {
        let world = try await World()
        let login = try await world.begin("alice")
        let stranger = try await world.begin("mallory")
        for binding in [stranger.start.binding, Secret(""), nil] {
            #expect(
                await code {
                    try await world.vault.completeLogin(
                        at: World.first, parameters: login.parameters, binding: binding)
                } == .forbidden)
        }
        #expect(world.provider.calls(.exchange) == 0)
        // And it cost the right browser nothing.
        #expect(try await world.complete(login).failure == nil)
        #expect(
            await code {
                try await world.vault.completeLogin(
                    at: World.first, parameters: login.parameters, binding: stranger.start.binding)
            } == .forbidden)
    }

    @Test func anUnknownEndedOrForeignStateIsForbidden() async throws {
        let world = try await World()
        let login = try await world.begin("alice")
        func end(_ parameters: [(name: String, value: String)], at platform: PlatformName = World.first) async
            -> VaultError.Code?
        {
            await code {
                try await world.vault.completeLogin(
                    at: platform, parameters: parameters, binding: login.start.binding)
            }
        }
        #expect(await end([("code", "x")]) == .forbidden)
        #expect(await end([("code", "x"), ("state", String(repeating: "a", count: 43))]) == .forbidden)
        #expect(await end(login.parameters + [("state", login.state)]) == .forbidden)
        #expect(await end(login.parameters, at: World.second) == .forbidden)
        #expect(await end(login.parameters + [("x", String(repeating: "a", count: 20_000))]) == .forbidden)
        world.clock.advance(.seconds(601))
        #expect(await end(login.parameters) == .forbidden)
        #expect(world.provider.calls(.exchange) == 0)
    }

    @Test func aDifferentCallbackOnAUsedStateIsRefused() async throws {
        let world = try await World()
        let login = try await world.begin("alice")
        var other = login
        other.parameters[0].value = world.provider.consent("mallory")
        #expect(try await world.complete(login).failure == nil)
        #expect(await code { try await world.complete(other) } == .forbidden)
        #expect(world.provider.calls(.exchange) == 1)
    }

    @Test func twoDifferentCallbacksAtOnceAreOneExchange() async throws {
        let world = try await World()
        let login = try await world.begin("alice")
        var other = login
        other.parameters[0].value = world.provider.consent("mallory")
        let gate = Gate()
        world.provider.script(.exchange, .wait(gate))
        async let first = world.complete(login)
        await gate.waitForArrivals()
        async let second = code { [other] in try await world.complete(other) }
        gate.open()
        #expect(try await first.failure == nil)
        #expect(await second == .forbidden)
        #expect(world.provider.calls(.exchange) == 1)
    }

    @Test func twoUsersInterleavedKeepTheirOwnAccounts() async throws {
        let world = try await World()
        let alice = try await world.begin("alice")
        let bob = try await world.begin("bob")
        let (first, second) = (Gate(), Gate())
        world.provider.script(.exchange, .wait(first), .wait(second))
        async let aliceEnd = world.complete(alice)
        await first.waitForArrivals()
        async let bobEnd = world.complete(bob)
        await second.waitForArrivals()
        second.open()
        let bobUser = try #require(try await bobEnd.session).record.user
        first.open()
        let aliceUser = try #require(try await aliceEnd.session).record.user
        #expect(try world.connection(aliceUser).subject == "alice")
        #expect(try world.connection(bobUser).subject == "bob")
    }

    @Test(arguments: [
        ([("error", "access_denied")], "access_denied"),
        ([("error", "server_error")], "retry"),
        ([("error", "invalid_scope")], "operator"),
        ([("error", "login_required")], "restart-login"),
        ([("error", "<script>")], "restart-login"),
        ([], "restart-login"),
        ([("code", "")], "restart-login"),
        ([("access_token", "a"), ("token_type", "Bearer")], "restart-login"),
        ([("code", "a"), ("error", "access_denied")], "restart-login"),
        ([("code", "a"), ("code", "a")], "restart-login"),
        ([("code", "a"), ("iss", "https://evil.example")], "restart-login"),
        ([("code", "a"), ("iss", "https://first.example/")], "restart-login"),
        ([("error", "access_denied"), ("iss", "https://evil.example")], "restart-login"),
    ])
    func readsACallbackWithoutMercy(parameters: [(String, String)], expected: String) async throws {
        let world = try await World()
        var login = try await world.begin("alice")
        login.parameters = [("state", login.state)] + parameters.map { (name: $0.0, value: $0.1) }
        #expect(try await world.complete(login).failure == expected)
        #expect(world.provider.calls(.exchange) == 0)
        // The state is used up, whatever came of it.
        var honest = login
        honest.parameters = [("state", login.state), ("code", world.provider.consent("alice"))]
        let refused = await code { try await world.complete(honest) }
        #expect(refused == .forbidden)
    }

    @Test func theRightIssuerIsTaken() async throws {
        let world = try await World(description: { $0.requiresIssuerParameter = true })
        var login = try await world.begin("alice")
        login.parameters.append(("iss", "https://first.example"))
        #expect(try await world.complete(login).failure == nil)
    }

    @Test func anIssuerThatIsRequiredAndMissingIsRefused() async throws {
        let world = try await World(description: { $0.requiresIssuerParameter = true })
        #expect(try await world.complete(try await world.begin("alice")).failure == "restart-login")
        #expect(world.provider.calls(.exchange) == 0)
    }

    @Test(arguments: [
        (FakeProvider.Step.answer(400, "{\"error\":\"invalid_grant\"}"), "restart-login"),
        (.answer(401, "{\"error\":\"invalid_client\"}"), "operator"),
        (.answer(503, "{\"error\":\"invalid_grant\"}"), "retry"),
        (.answer(200, "{\"error\":\"bad_verification_code\"}"), "restart-login"),
        (.fail(ProviderFailure(failure: .retry, code: "timeout")), "retry"),
    ])
    func saysWhatAFailedExchangeAsksFor(step: FakeProvider.Step, expected: String) async throws {
        let world = try await World()
        world.provider.script(.exchange, step)
        let login = try await world.begin("alice")
        #expect(try await world.complete(login).failure == expected)
        #expect(try await world.complete(login).failure == expected)
        #expect(world.provider.calls(.exchange) == 1)
        #expect(try world.records.read { try $0.user(of: "alice", at: World.first) } == nil)
    }

    @Test func asksForTheProfileTwiceAtTheMost() async throws {
        let world = try await World()
        world.provider.script(.profile, .answer(500, ""))
        #expect(try await world.complete(try await world.begin("alice")).failure == nil)
        world.provider.script(.profile, .answer(500, ""), .answer(500, ""))
        #expect(try await world.complete(try await world.begin("bob")).failure == "retry")
        #expect(world.provider.calls(.profile) == 4)
    }

    @Test func aCallerWhoGoesAwayDoesNotStopTheLogin() async throws {
        let world = try await World()
        let login = try await world.begin("alice")
        let gate = Gate()
        world.provider.script(.exchange, .wait(gate))
        let caller = Task { try await world.complete(login) }
        await gate.waitForArrivals()
        caller.cancel()
        gate.open()
        await world.vault.logins.drain()
        #expect(try world.records.read { try $0.user(of: "alice", at: World.first) } != nil)
        #expect(try await world.complete(login).failure == nil)
        #expect(world.provider.calls(.exchange) == 1)
    }

    @Test func aLoginSurvivesARestart() async throws {
        let world = try await World()
        let login = try await world.begin("alice")
        #expect(try await world.complete(login, vault: try world.restarted()).failure == nil)
    }

    @Test func aCodeThatMayBeSpentIsNotSentAgainAfterACrash() async throws {
        let world = try await World()
        let login = try await world.begin("alice")
        let gate = Gate()
        world.provider.script(.exchange, .wait(gate))
        let dying = Task { try await world.complete(login) }
        await gate.waitForArrivals()
        // Here the first process is gone; the second one knows only what was stored.
        #expect(try await world.complete(login, vault: try world.restarted()).failure == "restart-login")
        #expect(world.provider.calls(.exchange) == 1)
        gate.open()
        _ = try? await dying.value
    }

    @Test func aCodeGoesOnlyWhereTheBrowserWasSent() async throws {
        let world = try await World()
        let login = try await world.begin("alice")
        for change in [
            { (platform: inout Platform) in platform.clientID = "another" },
            { $0.provider.description.endpoints.token = "https://first.example/token2" },
            { $0.provider.description.issuer = "https://other.example" },
            { $0.redirectURI = "https://vault.example/auth/first/callback2" },
        ] as [(inout Platform) -> Void] {
            let login = try await world.begin("alice")
            var platform = try world.directory.platform(World.first)
            change(&platform)
            let vault = try world.restarted(
                platforms: PlatformDirectory([
                    .init(name: World.first, displayName: "First", platform: platform, fault: nil)
                ]))
            #expect(try await world.complete(login, vault: vault).failure == "restart-login")
        }
        #expect(world.provider.calls(.exchange) == 0)
        #expect(try await world.complete(login).failure == nil)
    }

    @Test func tokensThatCannotBeStoredConnectNobody() async throws {
        let world = try await World()
        let login = try await world.begin("alice")
        world.store.fail(with: FragileStore.full, after: 1)
        #expect(try await world.complete(login).failure == "retry")
        world.store.fail(with: nil)
        #expect(try await world.complete(login).failure == "restart-login")
        #expect(world.provider.calls(.exchange) == 1)
        #expect(try world.records.read { try $0.user(of: "alice", at: World.first) } == nil)
    }
}
