import Testing
import VaultBase
import VaultRecords
import VaultStore

/// A vault that is full up to its quota: what makes room goes through, what is new does not.
@Suite struct QuotaTests {
    enum Kind: String, CaseIterable, Sendable { case memory, lmdb }

    private let folder: Folder
    init() throws { folder = try Folder() }

    /// A vault of `kind` with as many connections as it takes.
    private func full(_ kind: Kind) async throws -> (Bench, users: Int) {
        var options = LMDBStore.Options()
        options.quota = 1 << 20
        let store: any Store =
            kind == .memory
            ? MemoryStore(quota: options.quota) : try LMDBStore.create(at: folder.path + "/store", options: options)
        let bench = try await Bench(store)
        let session = try bench.session(lasts: .seconds(3600))
        let login = try bench.login()
        try await bench.records.write {
            try $0.put(session)
            try $0.put(login)
        }
        for number in 0..<9999 {
            let connection = try bench.connection("user-\(number)", endsAt: bench.now + .seconds(60 + number))
            let failure = await code { try await bench.put(connection) }
            if failure != nil {
                #expect(failure == .full)
                return (bench, number)
            }
        }
        throw Folder.Failure()
    }

    @Test(arguments: Kind.allCases) func whatMakesRoomAlwaysGoesThrough(kind: Kind) async throws {
        let (bench, users) = try await full(kind)
        #expect(users > 200)
        let spotify = try PlatformName("spotify")
        // A smaller one may fit still, but not many.
        var refusal: VaultError.Code?
        for number in 0..<500 where refusal == nil {
            let late = try bench.session("late-\(number)")
            refusal = await code { try await bench.records.write { try $0.put(late) } }
        }
        #expect(refusal == .full)
        for number in 0..<20 {
            let user = try UserID("user-\(number)")
            #expect(try await bench.records.write { try $0.delete(user, spotify) } != nil)
        }
        try await bench.records.write { try $0.deleteSession("s1") }
        #expect(try await bench.records.write { try $0.deleteSessions(of: UserID("nobody")) } == 0)
        #expect(try bench.records.verify().isSound)
        let dan = try bench.connection("dan")
        try await bench.put(dan)
        await bench.store.close()
    }

    @Test(arguments: Kind.allCases) func aSweepAndEverySingleRemovalGoThrough(kind: Kind) async throws {
        let (bench, users) = try await full(kind)
        bench.clock.advance(.seconds(62))
        let swept = try await bench.records.sweep(grace: .zero, limit: 1, dryRun: false)
        #expect(swept.logins + swept.connections.count == 1)
        bench.clock.advance(.seconds(users))
        var place: SweepPlace?
        repeat {
            place = try await bench.records.sweep(grace: .zero, limit: 100, dryRun: false, from: place).next
        } while place != nil
        #expect(try bench.count(.records) == 0)
        #expect(try bench.records.verify().isSound)
        await bench.store.close()
    }

    @Test(arguments: Kind.allCases) func whatARefreshWritesGoesThrough(kind: Kind) async throws {
        let (bench, users) = try await full(kind)
        let now = bench.now
        for number in [0, users / 2, users - 1] {
            let name = ConnectionName(user: try UserID("user-\(number)"), platform: try PlatformName("spotify"))
            try await bench.records.write(for: .saving) {
                try $0.begin(Redemption(user: name.user, platform: name.platform, generation: 1, begunAt: now))
            }
            // New tokens of another size class than those before.
            let next = try bench.connection(
                name.user.rawValue, token: String(repeating: "t", count: 700), endsAt: now + .seconds(60 + number))
            try await bench.records.write(for: .saving) {
                try $0.put(next, expecting: nil)
                try $0.endRedemption(name.user, name.platform)
            }
            #expect(try bench.get(name.user.rawValue)?.accessToken.count == 700)
        }
        #expect(try bench.records.verify().isSound)
        await bench.store.close()
    }
}
