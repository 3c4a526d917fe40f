import FoundationEssentials
import Synchronization
import TestFolders
import Testing
import VaultBase
import VaultRecords

@testable import Vault

/// A vault that is full up to its quota: what users have goes on and can be ended, what is new is refused first.
@Suite struct QuotaTests {
    /// A vault with one session after another, until it takes no more.
    private func full() async throws -> (World, [IssuedSession]) {
        let world = try await World(quota: 256 << 10, options: { $0.loginLifetime = .seconds(7200) })
        var sessions: [IssuedSession] = []
        for number in 0..<8 { sessions.append(try await world.logIn("user-\(number)")) }
        let other = try UserID("other")
        while await code(of: { try await world.vault.issueSession(for: other) }) == nil {}
        #expect(await code { try await world.vault.issueSession(for: other) } == .full)
        return (world, sessions)
    }

    @Test func newLoginsAndConnectionsAreRefused() async throws {
        let (world, _) = try await full()
        #expect(await code { try await world.begin("new") } == .full)
        let document = try JSONDecoder().decode(
            ConnectionDocument.self, from: Data(#"{"user":"new","platform":"first","accessToken":"a"}"#.utf8))
        #expect(await code { try await world.administration.perform(.put(document)) { _ in } } == .full)
    }

    @Test(arguments: ["yes", "pending"]) func aDisconnectGoesThroughAndIsToldOf(revoked: String) async throws {
        let (world, sessions) = try await full()
        for session in sessions {
            if revoked == "pending" { world.provider.script(.revoke, .answer(503, ""), .answer(503, "")) }
            let end = try await world.vault.disconnect(session.record.user, from: World.first)
            #expect(end.deleted && end.revoked.rawValue == revoked)
        }
        #expect(try world.events().count { $0.facts.revoked == revoked } == sessions.count)
        #expect(try world.records.status().connections == 0)
        #expect(try world.records.status().revocations == (revoked == "pending" ? sessions.count : 0))
        world.clock.advance(.seconds(60))
        try await world.vault.revokeWhatWaits()
        #expect(try world.records.status().revocations == 0)
    }

    @Test func anAdministratorsDeleteALogoutAndTheSweepGoThrough() async throws {
        let (world, sessions) = try await full()
        let user = sessions[0].record.user.rawValue
        try await world.administration.perform(.delete(user: user, platform: "first")) { _ in }
        try await world.vault.revoke(sessions[1].record)
        #expect(await code { try world.vault.session(sessions[1].token) } == .unauthorized)
        world.clock.advance(.seconds(13 * 3600))
        try await world.vault.sweep()
        #expect(try world.records.status().sessions == 0)
        try await world.logIn("new")
    }

    @Test func tokensAreRefreshedAndSavedAndSessionsRenewed() async throws {
        let (world, sessions) = try await full()
        for session in sessions {
            let token = try await world.vault.refresh(session.record.user, at: World.first)
            #expect(try world.connection(session.record.user).accessToken == token.accessToken)
            let renewed = try await world.vault.renew(session.record)
            #expect(try world.vault.session(renewed.token) == renewed.record)
        }
        // What became of a failure is kept too: nobody hammers a grant that is dead.
        world.provider.script(.refresh, .answer(400, "{\"error\":\"invalid_grant\"}"))
        _ = await code { try await world.vault.refresh(sessions[0].record.user, at: World.first) }
        #expect(try world.connection(sessions[0].record.user).health.isDead)
        #expect(world.vault.refresher.unsaved.withLock { $0.count } == 0)
        #expect(try world.records.verify().isSound)
    }

    @Test func aLoginThatHadBegunEndsWithoutHarm() async throws {
        let world = try await World(quota: 256 << 10)
        let login = try await world.begin("alice")
        let other = try UserID("other")
        while await code(of: { try await world.vault.issueSession(for: other) }) == nil {}
        let end = try await world.complete(login)
        #expect(end.failure == "retry")
        #expect(try world.records.status().connections == 0)
    }

    @Test func aBackupIsTakenAndRemembered() async throws {
        let (world, _) = try await full()
        let folder = try #require(TestFolder.make("full"))
        defer { TestFolder.remove(folder) }
        // A mark that is larger than what a session needs, which there is no room for.
        let path = "\(folder)/\(String(repeating: "a", count: 200))"
        let manifest = try await world.vault.backUp(to: path, for: [], since: nil)
        #expect(try world.records.last(.backup)?.end == manifest.end)
    }
}
