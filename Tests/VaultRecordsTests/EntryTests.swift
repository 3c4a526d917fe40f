import Testing
import VaultBase
import VaultCrypto
import VaultRecords
import VaultStore

@Suite struct EntryTests {
    @Test func aLoginComesBackAtEveryStage() async throws {
        let bench = try await Bench()
        for progress: LoginRecord.Progress in [
            .pending, .redeeming(callback: [9, 9]), .finished(callback: [9], .failed(code: "access_denied")),
            .finished(callback: [], .connected(user: try UserID("bob"), sessionID: "s9")),
        ] {
            let login = try bench.login(progress: progress)
            try await bench.records.write { try $0.put(login) }
            #expect(try bench.records.read { try $0.login(login.state) } == login)
        }
        var bare = try bench.login("bare")
        bare.verifier = nil
        bare.nonce = nil
        bare.user = nil
        bare.returnTo = nil
        let login = bare
        try await bench.records.write { try $0.put(login) }
        #expect(try bench.records.read { try $0.login("bare") } == login)
        try await bench.records.write { try $0.deleteLogin("bare") }
        #expect(try bench.records.read { try $0.login("bare") } == nil)
        #expect(try bench.records.verify().isSound)
    }

    @Test func loggingOutEverywhereEndsAllSessionsOfOneUser() async throws {
        let bench = try await Bench()
        let sessions = [try bench.session("a1", "ada"), try bench.session("a2", "ada"), try bench.session("b1", "bob")]
        try await bench.records.write { for session in sessions { try $0.put(session) } }
        #expect(try bench.records.read { try $0.session("a2") } == sessions[1])
        try await bench.records.write { try $0.deleteSession("a1") }
        #expect(try bench.records.read { try $0.session("a1") } == nil)
        #expect(try await bench.records.write { try $0.deleteSessions(of: UserID("ada")) } == 1)
        #expect(try bench.records.read { try $0.session("a2") } == nil)
        #expect(try bench.records.read { try $0.session("b1") } == sessions[2])
        #expect(try bench.records.verify().isSound)
    }

    @Test func idsAndStatesAndTokensDoNotStandInTheStore() async throws {
        let bench = try await Bench()
        let (session, login) = (try bench.session("id-in-clear"), try bench.login("state-in-clear"))
        let connection = try bench.connection(token: "token-in-clear")
        try await bench.records.write {
            try $0.put(session)
            try $0.put(login)
            try $0.put(connection, expecting: 0)
        }
        for table in Table.allCases {
            for (key, value) in try bench.rows(table) {
                for needle in ["in-clear", "refresh-1", "verifier"] {
                    #expect(!contains(key, needle) && !contains(value, needle))
                }
            }
        }
    }

    @Test func anAccountBelongsToOneUserAndAUserHasOneAccountAtAPlatform() async throws {
        let bench = try await Bench()
        let (ada, bob, spotify) = (try UserID("ada"), try UserID("bob"), try PlatformName("spotify"))
        func set(_ user: UserID, _ subject: String) async throws {
            try await bench.records.write { try $0.setUser(user, of: subject, at: spotify) }
        }
        func user(_ subject: String) throws -> UserID? {
            try bench.records.read { try $0.user(of: subject, at: spotify) }
        }
        try await set(ada, "one")
        try await set(ada, "one")
        #expect(await code { try await set(bob, "one") } == .accountInUse)
        try await set(ada, "two")
        #expect(try user("one") == nil && user("two") == ada)
        #expect(try bench.records.read { try $0.subject(of: ada, at: spotify) } == "two")
        try await set(bob, "one")
        #expect(try user("one") == bob)
        #expect(try bench.records.read { try $0.user(of: "one", at: PlatformName("github")) } == nil)
        #expect(try user(String(repeating: "x", count: 5_000)) == nil)
        for bad in ["", "a\0b", String(repeating: "x", count: 256)] {
            #expect(await code { try await set(bob, bad) } == .badRequest)
        }
        #expect(try bench.records.verify().isSound)
    }

    @Test func theJournalShowsWhatWasBegunAndNotFinished() async throws {
        let bench = try await Bench()
        let (ada, spotify, now) = (try UserID("ada"), try PlatformName("spotify"), bench.now)
        let redemption = Redemption(user: ada, platform: spotify, generation: 7, begunAt: now)
        try await bench.records.write { try $0.begin(redemption) }
        #expect(try bench.reopened().read { try $0.redemptions() } == [redemption])
        #expect(try bench.records.read { try $0.redemption(ada, spotify) } == redemption)
        try await bench.records.write { try $0.endRedemption(ada, spotify) }
        #expect(try bench.records.read { try $0.redemptions() }.isEmpty)
        try await bench.records.write { try $0.endRedemption(ada, spotify) }
        #expect(try bench.records.verify().isSound)
    }

    private func contains(_ bytes: [UInt8], _ text: String) -> Bool {
        let needle = Array(text.utf8)
        guard bytes.count >= needle.count else { return false }
        return (0...(bytes.count - needle.count)).contains { bytes[$0..<($0 + needle.count)].elementsEqual(needle) }
    }
}
