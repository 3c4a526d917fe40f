import Synchronization
import Testing
import VaultBase
import VaultCrypto
import VaultRecords

@testable import Vault

@Suite struct LoginTests {
    @Test func firstConsentMakesAUserAConnectionAndASession() async throws {
        let world = try await World()
        let login = try await world.begin("alice")
        guard case .connected(let session, let returnTo) = try await world.complete(login) else {
            throw Unexpected("not connected")
        }
        #expect(returnTo == "/done")
        #expect(try world.vault.session(session.token) == session.record)
        let connection = try world.connection(session.record.user)
        // A name that a command line takes for a name, never for an option.
        #expect(Hex.decode(session.record.user.rawValue)?.count == 16)
        #expect(connection.subject == "alice")
        #expect(connection.displayName == "Name of alice")
        #expect(connection.clientID == "client")
        #expect(connection.scope == "read write")
        #expect(connection.generation == 1)
        #expect(connection.health == .healthy)
        #expect(connection.consentedAt == HandClock.start)
        #expect(connection.expiresAt == HandClock.start + .seconds(3600))
        #expect(connection.refreshToken != nil)
    }

    @Test func sendsTheVerifierOfTheChallengeAndOnlyThen() async throws {
        let world = try await World()
        let login = try await world.begin("alice")
        let query = World.query(login.start.authorizationURL)
        #expect(query["code_challenge_method"] == "S256")
        #expect(login.state.utf8.count == 43)
        #expect(!login.start.authorizationURL.contains(login.start.binding.reveal()))
        _ = try await world.complete(login)
        let verifier = try #require(world.provider.sent("code_verifier", to: .exchange).first)
        #expect(verifier.utf8.count == 43)
        #expect(query["code_challenge"] == Base64.encodeURL(Digest.sha256(verifier.utf8)))
    }

    @Test func everyLoginHasSecretsOfItsOwn() async throws {
        let world = try await World()
        var seen: Set<String> = []
        for _ in 0..<8 {
            let login = try await world.begin("alice")
            let query = World.query(login.start.authorizationURL)
            let secrets = [
                login.state, query["code_challenge"] ?? "", query["nonce"] ?? login.state + "n",
                login.start.binding.reveal(),
            ]
            // 43 characters of base64url hold 256 bits.
            #expect(secrets.allSatisfy { $0.utf8.count >= 43 })
            seen.formUnion(secrets)
        }
        #expect(seen.count == 4 * 8)
    }

    @Test func aScopeThatWasNarrowedIsShown() async throws {
        let world = try await World()
        world.provider.script(
            .exchange, .answer(200, #"{"access_token":"access-0-1","token_type":"Bearer","scope":"read"}"#))
        world.provider.script(.profile, .answer(200, #"{"id":"alice"}"#))
        let user = try await world.logIn("alice").record.user
        #expect(try world.connection(user).scope == "read")
        #expect(try world.vault.connections(of: user).map(\.scope) == ["read"])
        #expect(try await world.vault.token(for: user, at: World.first).scope == "read")
    }

    @Test func theSameAccountFindsItsUserAgain() async throws {
        let world = try await World()
        let first = try await world.logIn("alice")
        let second = try await world.logIn("alice")
        let other = try await world.logIn("bob")
        #expect(first.record.user == second.record.user)
        #expect(first.record.id != second.record.id)
        #expect(first.record.user != other.record.user)
    }

    @Test func aSessionLinksASecondPlatform() async throws {
        let world = try await World()
        let user = try await world.logIn("alice").record.user
        let linked = try await world.logIn("alice-elsewhere", at: World.second, linking: user)
        #expect(linked.record.user == user)
        #expect(try world.vault.connections(of: user).map(\.platform) == [World.first, World.second])
        // And either account finds the user.
        #expect(try await world.logIn("alice-elsewhere", at: World.second).record.user == user)
    }

    @Test func anAccountOfSomebodyElseIsRefusedAndNotMoved() async throws {
        let world = try await World()
        let alice = try await world.logIn("alice").record.user
        let bob = try await world.logIn("bob", at: World.second).record.user
        let before = try world.connection(alice)
        let end = try await world.complete(try await world.begin("alice", linking: bob))
        #expect(end.failure == "account-in-use")
        #expect(try world.connection(alice) == before)
        #expect(try world.records.read { try $0.connection(bob, World.first) } == nil)
    }

    @Test func anotherAccountDoesNotReplaceAConnection() async throws {
        let world = try await World()
        let alice = try await world.logIn("alice").record.user
        let before = try world.connection(alice)
        let end = try await world.complete(try await world.begin("alice-other", linking: alice))
        #expect(end.failure == "other-account")
        #expect(try world.connection(alice) == before)
        // Nor did the refused account become anybody's.
        #expect(try world.records.read { try $0.user(of: "alice-other", at: World.first) } == nil)
        _ = try await world.vault.disconnect(alice, from: World.first)
        #expect(try await world.complete(try await world.begin("alice-other", linking: alice)).failure == nil)
    }

    @Test func aNewConsentReplacesTokensAndHealsTheConnection() async throws {
        let world = try await World()
        let user = try await world.logIn("alice").record.user
        let before = try world.connection(user)
        world.provider.script(.refresh, .answer(400, "{\"error\":\"invalid_grant\"}"))
        #expect(await code { try await world.vault.refresh(user, at: World.first) } == .reconnect)
        world.clock.advance(.seconds(60))
        try await world.logIn("alice")
        let after = try world.connection(user)
        #expect(after.health == .healthy)
        #expect(after.generation == before.generation + 1)
        #expect(after.consentedAt == before.consentedAt + .seconds(60))
        #expect(after.createdAt == before.createdAt)
        #expect(after.refreshToken != before.refreshToken)
        _ = try await world.vault.refresh(user, at: World.first)
    }

    @Test func aNewConsentForgetsTheBackOff() async throws {
        let world = try await World()
        let user = try await world.logIn("alice").record.user
        world.provider.script(.refresh, .answer(503, ""))
        #expect(await code { try await world.vault.refresh(user, at: World.first) } == .retry)
        try await world.logIn("alice")
        _ = try await world.vault.refresh(user, at: World.first)
        #expect(world.provider.calls(.refresh) == 2)
    }

    @Test(arguments: [true, false])
    func aConsentWithoutARefreshTokenKeepsTheOldOneUnlessItIsDead(isDead: Bool) async throws {
        let world = try await World()
        let user = try await world.logIn("alice").record.user
        let before = try world.connection(user)
        if isDead { try await world.update(user) { $0.health = .reconnect(reason: "invalid_grant") } }
        world.provider.state.withLock { $0.givesRefreshToken = false }
        try await world.logIn("alice")
        #expect(try world.connection(user).refreshToken == (isDead ? nil : before.refreshToken))
    }

    @Test func aProviderWithoutAccountsGetsAnAccountOfItsOwn() async throws {
        let world = try await World()
        let user = try await world.logIn("x", at: World.found).record.user
        let subject = try world.connection(user, World.found).subject
        #expect(try await world.complete(try await world.begin("x", at: World.found, linking: user)).failure == nil)
        #expect(try world.connection(user, World.found).subject == subject)
        // Without a session nobody can be found: a new user every time.
        #expect(try await world.logIn("x", at: World.found).record.user != user)
    }

    @Test(arguments: [
        "//evil.example", "/\\evil.example", "https://evil.example", "/done/", "/Done", "javascript:alert(1)", "",
        "/done\n",
    ])
    func returnsOnlyToListedPlaces(target: String) async throws {
        // Listing a place that browsers read as another host does not make it one.
        let world = try await World(options: { $0.returnTo += ["//evil.example", "/\\evil.example"] })
        #expect(
            await code {
                try await world.vault.beginLogin(
                    at: World.first, linking: nil, returnTo: target, scopes: nil, binding: nil)
            } == .badRequest)
    }

    @Test func asksForListedScopesOnly() async throws {
        let world = try await World()
        let start = try await world.vault.beginLogin(
            at: World.first, linking: nil, returnTo: nil, scopes: ["read"], binding: nil)
        #expect(World.query(start.authorizationURL)["scope"] == "read")
        for scopes in [["admin"], ["read", "write admin"], ["read\r\n"]] {
            #expect(
                await code {
                    try await world.vault.beginLogin(
                        at: World.first, linking: nil, returnTo: nil, scopes: scopes, binding: nil)
                } == .badRequest)
        }
    }

    @Test func aBrowserKeepsItsBindingOverTwoLogins() async throws {
        let world = try await World()
        let first = try await world.begin("alice")
        let second = try await world.begin("alice", binding: first.start.binding)
        #expect(first.start.binding == second.start.binding)
        #expect(try await world.complete(second).failure == nil)
        #expect(try await world.complete(first).failure == nil)
        // What is no cookie of ours is not taken over.
        let third = try await world.begin("alice", binding: Secret("short"))
        #expect(third.start.binding.count == 43)
    }

    @Test func noMoreLoginsThanTheLimitAndThoseThatEndedMakeRoom() async throws {
        let world = try await World(options: { $0.loginLimit = 3 })
        for user in ["a", "b", "c"] { _ = try await world.begin(user) }
        do {
            _ = try await world.begin("d")
            Issue.record("accepted")
        } catch let error as VaultError {
            #expect(error.code == .rateLimited && error.retryAfter == .seconds(60))
        }
        // Whoever is linked to, or not: nobody brings an ended login back, so it goes without a grace.
        world.clock.advance(.seconds(600))
        try await world.vault.sweep()
        #expect(try world.records.status().logins == 0)
        try await world.logIn("d")
    }
}

extension LoginEnd {
    /// The failure's code; nil when connected.
    var failure: String? {
        if case .failed(let code, _) = self { return code }
        return nil
    }
    var session: IssuedSession? {
        if case .connected(let session, _) = self { return session }
        return nil
    }
}
