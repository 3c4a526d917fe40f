import Testing
import VaultBase
import VaultRecords

@testable import Vault

/// Sessions that take another's place, and sessions that others end.
@Suite struct RenewalTests {
    let user: UserID
    init() throws { user = try UserID("alice") }

    @Test func aLostAnswerIsGivenAgainForAMinute() async throws {
        let world = try await World()
        let old = try await world.vault.issueSession(for: user)
        let new = try await world.vault.renew(old.record)
        // The process that answered is no more.
        let vault = try world.restarted()
        world.clock.advance(.seconds(59))
        let again = try await vault.renew(try vault.sessionOrReplaced(old.token))
        #expect(again.record == new.record)
        #expect(try vault.session(again.token) == new.record)
        #expect(await code { try vault.session(old.token) } == .unauthorized)
        world.clock.advance(.seconds(1))
        #expect(await code { try vault.sessionOrReplaced(old.token) } == .unauthorized)
        #expect(await code { try await vault.renew(old.record) } == .unauthorized)
        #expect(try vault.sessions(of: user) == [new.record])
    }

    @Test func aSessionThatEndsSoonerIsNotKeptLonger() async throws {
        let world = try await World()
        let old = try await world.vault.issueSession(for: user)
        world.clock.advance(.seconds(12 * 3600 - 10))
        _ = try await world.vault.renew(old.record)
        world.clock.advance(.seconds(10))
        #expect(await code { try await world.vault.renew(old.record) } == .unauthorized)
    }

    @Test func theSuccessorEndsWithItsRevocation() async throws {
        let world = try await World()
        let old = try await world.vault.issueSession(for: user)
        let new = try await world.vault.renew(old.record)
        try await world.vault.revoke(new.record)
        #expect(await code { try await world.vault.renew(old.record) } == .unauthorized)
    }

    @Test func whoLogsOutWithTheOldSessionEndsTheNewOne() async throws {
        let world = try await World()
        let old = try await world.vault.issueSession(for: user)
        let new = try await world.vault.renew(old.record)
        try await world.vault.revoke(try world.vault.sessionOrReplaced(old.token))
        #expect(await code { try world.vault.session(new.token) } == .unauthorized)
        #expect(await code { try world.vault.sessionOrReplaced(old.token) } == .unauthorized)
    }

    @Test func aSuccessorThatWasRenewedIsNotGivenAgain() async throws {
        let world = try await World()
        let old = try await world.vault.issueSession(for: user)
        let new = try await world.vault.renew(old.record)
        let newest = try await world.vault.renew(new.record)
        #expect(await code { try await world.vault.renew(old.record) } == .unauthorized)
        #expect(try world.vault.session(newest.token) == newest.record)
    }

    @Test func anOldCallbackDoesNotGiveASessionThatWasRenewed() async throws {
        let world = try await World()
        let login = try await world.begin("alice")
        guard case .connected(let session, _) = try await world.complete(login) else { throw Unexpected("no session") }
        _ = try await world.vault.renew(session.record)
        guard case .failed(let code, _) = try await world.complete(login) else { throw Unexpected("a session") }
        #expect(code == "restart-login")
    }

    @Test func aUserIsLoggedOutEverywhereAndNobodyElse() async throws {
        let world = try await World()
        let bob = try await world.vault.issueSession(for: try UserID("bob"))
        let old = try await world.vault.issueSession(for: user)
        world.clock.advance(.seconds(1))
        let other = try await world.vault.issueSession(for: user)
        world.clock.advance(.seconds(1))
        let new = try await world.vault.renew(old.record)
        #expect(try world.vault.sessions(of: user) == [other.record, new.record])
        // The one that was renewed is none.
        #expect(try await world.vault.endSessions(of: user, by: "operator") == 2)
        for token in [other.token, new.token, old.token] {
            #expect(await code { try world.vault.sessionOrReplaced(token) } == .unauthorized)
        }
        #expect(try await world.vault.endSessions(of: user, by: "operator") == 0)
        #expect(try world.vault.session(bob.token) == bob.record)
        #expect(try world.records.verify().isSound)
    }

    @Test func oneSessionIsEndedByItsId() async throws {
        let world = try await World()
        let stolen = try await world.vault.issueSession(for: user)
        let kept = try await world.vault.issueSession(for: user)
        let foreign = try await world.vault.issueSession(for: try UserID("bob"))
        let end = { (id: String) in try await world.vault.endSessions(of: self.user, id: id, by: "operator") }
        #expect(await code { try await end("") } == .badRequest)
        #expect(await code { try await end(foreign.record.id) } == .notFound)
        #expect(try await end(stolen.record.id) == 1)
        #expect(await code { try await end(stolen.record.id) } == .notFound)
        #expect(await code { try world.vault.session(stolen.token) } == .unauthorized)
        #expect(try world.vault.sessions(of: user) == [kept.record])
        // The beginning is enough where it is no other's.
        #expect(try await end(String(kept.record.id.prefix(6))) == 1)
    }
}
