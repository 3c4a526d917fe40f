import Synchronization
import Testing
import VaultBase
import VaultProviders
import VaultRecords

@testable import Vault

@Suite struct TokenTests {
    @Test func aFreshTokenIsReadAndNobodyIsAsked() async throws {
        let world = try await World()
        let user = try await world.logIn("alice").record.user
        let token = try await world.vault.token(for: user, at: World.first)
        #expect(token.accessToken == (try world.connection(user).accessToken))
        #expect(token.tokenType == "Bearer")
        #expect(token.scope == "read write")
        #expect(token.expiresAt == HandClock.start + .seconds(3600))
        world.clock.advance(.seconds(3600 - 61))
        _ = try await world.vault.token(for: user, at: World.first)
        #expect(world.provider.calls(.refresh) == 0)
    }

    /// Brought before its platform was configured: nobody could say of which client it is, until a refresh has shown it.
    @Test func aConnectionOfNoNamedClientIsRefreshedAndNamed() async throws {
        let world = try await World()
        let user = try await world.logIn("alice").record.user
        var connection = try world.connection(user)
        connection.clientID = ""
        let brought = connection
        _ = try await world.records.write { try $0.put(brought, expecting: nil) }
        _ = try await world.vault.refresh(user, at: World.first)
        #expect(try world.connection(user).clientID == "client")
    }

    @Test func refreshesATokenAboutToExpire() async throws {
        let world = try await World()
        let user = try await world.logIn("alice").record.user
        let before = try world.connection(user)
        world.clock.advance(.seconds(3600 - 59))
        let token = try await world.vault.token(for: user, at: World.first)
        let after = try world.connection(user)
        #expect(world.provider.calls(.refresh) == 1)
        #expect(token.accessToken == after.accessToken && token.accessToken != before.accessToken)
        #expect(after.refreshToken != before.refreshToken)
        #expect(after.generation == before.generation + 1)
        #expect(after.consentedAt == before.consentedAt)
        #expect(try world.records.read { try $0.redemptions() } == [])
        _ = try await world.vault.token(for: user, at: World.first)
        #expect(world.provider.calls(.refresh) == 1)
    }

    @Test func aShortLivedTokenIsNotRefreshedAtEveryRead() async throws {
        let world = try await World()
        world.provider.state.withLock { $0.expiresIn = "30" }
        let user = try await world.logIn("alice").record.user
        _ = try await world.vault.token(for: user, at: World.first)
        #expect(world.provider.calls(.refresh) == 0)
        world.clock.advance(.seconds(16))
        _ = try await world.vault.token(for: user, at: World.first)
        #expect(world.provider.calls(.refresh) == 1)
    }

    @Test func aTokenWithoutARefreshTokenLastsToItsLastSecond() async throws {
        let world = try await World()
        world.provider.state.withLock { $0.givesRefreshToken = false }
        let user = try await world.logIn("alice").record.user
        world.clock.advance(.seconds(3599))
        _ = try await world.vault.token(for: user, at: World.first)
        #expect(await code { try await world.vault.refresh(user, at: World.first) } == .forbidden)
        world.clock.advance(.seconds(1))
        #expect(await code { try await world.vault.token(for: user, at: World.first) } == .reconnect)
        #expect(await code { try await world.vault.refresh(user, at: World.first) } == .reconnect)
        #expect(try world.vault.connections(of: user).map(\.health.name) == ["reconnect"])
        #expect(world.provider.calls(.refresh) == 0)
    }

    @Test func aTokenWhoseEndIsUnknownIsServed() async throws {
        let world = try await World(description: { $0.response.neverExpires = true })
        let user = try await world.logIn("alice").record.user
        world.clock.advance(.seconds(365 * 86400))
        _ = try await world.vault.token(for: user, at: World.first)
        #expect(world.provider.calls(.refresh) == 0)
    }

    @Test func saysWhatIsMissing() async throws {
        let world = try await World()
        let user = try UserID("nobody")
        #expect(await code { try await world.vault.token(for: user, at: World.first) } == .noConnection)
        let unknown = try PlatformName("unknown")
        #expect(await code { try await world.vault.token(for: user, at: unknown) } == .noPlatform)
        #expect(await code { try await world.vault.refresh(user, at: World.first) } == .noConnection)
    }

    @Test func anEndedRecordIsNeverServedNorRefreshed() async throws {
        let world = try await World(description: { $0.absoluteLifetime = 7200 })
        let user = try await world.logIn("alice").record.user
        world.clock.advance(.seconds(7199))
        _ = try await world.vault.token(for: user, at: World.first)
        #expect(world.provider.calls(.refresh) == 1)
        world.clock.advance(.seconds(1))
        #expect(await code { try await world.vault.token(for: user, at: World.first) } == .noConnection)
        #expect(await code { try await world.vault.refresh(user, at: World.first) } == .noConnection)
        #expect(world.provider.calls(.refresh) == 1)
        // The same account still finds its user.
        #expect(try await world.logIn("alice").record.user == user)
    }

    @Test func anIdleLimitBeginsAnewWithEveryRefresh() async throws {
        let world = try await World(
            options: { $0.recordLifetime = .seconds(10_000) }, description: { $0.idleLifetime = 4000 })
        let user = try await world.logIn("alice").record.user
        #expect(try world.connection(user).endsAt == HandClock.start + .seconds(4000))
        world.clock.advance(.seconds(3000))
        _ = try await world.vault.refresh(user, at: World.first)
        #expect(try world.connection(user).endsAt == HandClock.start + .seconds(7000))
        world.clock.advance(.seconds(3500))
        _ = try await world.vault.refresh(user, at: World.first)
        #expect(try world.connection(user).endsAt == HandClock.start + .seconds(10_000))
    }

    @Test(arguments: ["", "null", "\"3600\"", "\"\"", "0", "-1", "1e308", "9223372036854775808", "\"soon\""])
    func anyExpiryIsFinite(expiresIn: String) async throws {
        let world = try await World(description: { $0.response.defaultLifetime = 900 })
        world.provider.state.withLock { $0.expiresIn = expiresIn }
        let user = try await world.logIn("alice").record.user
        let ends = try #require(try world.connection(user).expiresAt)
        #expect(ends > HandClock.start)
        #expect(ends < HandClock.start + .seconds(20 * 365 * 86400))
        world.clock.advance(.seconds(-3600))
        _ = try await world.vault.token(for: user, at: World.first)
        world.clock.advance(.seconds(7200))
        _ = try await world.vault.token(for: user, at: World.first)
    }
}
