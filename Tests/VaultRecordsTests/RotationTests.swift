#if canImport(Glibc)
    import Glibc
#endif
import Testing
import VaultBase
import VaultCrypto
import VaultRecords
import VaultStore

/// A new data key for everything, whatever happens meanwhile.
@Suite struct RotationTests {
    private static let users = 300

    private static func fill(_ bench: Bench) async throws {
        let now = bench.now
        for user in 0..<users {
            let connection = try bench.connection("user-\(user)", endsAt: now + .seconds(9000), dueAt: now)
            try await bench.put(connection)
        }
        try await bench.records.write { [session = try bench.session(), login = try bench.login()] in
            try $0.setUser(UserID("user-1"), of: "account", at: PlatformName("spotify"))
            try $0.put(session)
            try $0.put(login)
            try $0.begin(
                Redemption(user: UserID("user-2"), platform: PlatformName("spotify"), generation: 1, begunAt: now))
        }
    }

    private static func whole(_ records: Records) throws -> Bool {
        var seen = 0
        try records.forEachConnection { _ in
            seen += 1
            return true
        }
        return try seen == users && records.verify().isSound
    }

    @Test func everythingIsSealedAnewAndTheOldKeyIsGone() async throws {
        let bench = try await Bench()
        try await Self.fill(bench)
        let before = try bench.rows(.records).map(\.1)
        let result = try await bench.records.rotate()
        #expect(result.term == 2 && !result.resumed && result.destroyed == [1] && result.damaged.isEmpty)
        #expect(result.resealed == Self.users + 5)
        #expect(try bench.rows(.records).map(\.1).allSatisfy { !before.contains($0) && $0[4] == 2 })
        #expect(try bench.records.status().terms.map(\.state) == ["destroyed", "active"])
        #expect(try Self.whole(bench.records) && Self.whole(bench.reopened()))
        #expect(try bench.count(.state) == 1, "the mark is gone")
        #expect(try await bench.records.rotate().term == 3)
        #expect(try Self.whole(bench.reopened()))
    }

    @Test func stoppedAfterAnyStepEverythingOpensAndTheNextCallGoesOn() async throws {
        let folder = try Folder()
        let store = try LMDBStore.create(at: folder.path + "/store")
        let bench = try await Bench(store)
        try await Self.fill(bench)
        let copies = Copies(folder, bench)
        let result = try await bench.records.rotate(progress: { _, _ in }) { try await copies.look(at: $0) }
        #expect(result.destroyed == [1])
        let steps = await copies.steps
        #expect(steps.first == .added && steps.suffix(2) == [.readBack, .destroyed])
        #expect(steps.count { $0 == .resealed } > 4)
        await store.close()
    }

    /// Copies the file after each step, as a `kill -9` would leave it, and finishes the rotation there.
    private actor Copies {
        let folder: Folder
        let bench: Bench
        var steps: [Records.RotationStep] = []

        init(_ folder: Folder, _ bench: Bench) {
            self.folder = folder
            self.bench = bench
        }

        func look(at step: Records.RotationStep) async throws {
            steps.append(step)
            let place = "\(folder.path)/copy-\(steps.count)"
            mkdir(place, 0o700)
            try folder.write(folder.read("store/data.mdb"), to: "copy-\(steps.count)/data.mdb")
            let store = try LMDBStore.open(at: place)
            let records = try Records.open(store, rootKey: bench.key, clock: bench.clock)
            #expect(try RotationTests.whole(records), "after \(step), the \(steps.count)th")
            let status = try records.rotationStatus()
            #expect(status.isUnfinished == (step != .destroyed))
            if step != .destroyed {
                let result = try await records.rotate()
                #expect(result.resumed && result.term == 2 && result.destroyed == [1])
                // What was sealed again before the stop is not sealed a second time.
                #expect(result.resealed == status.remaining)
            }
            #expect(try RotationTests.whole(records))
            #expect(try records.rotationStatus().terms.map(\.state) == ["destroyed", "active"])
            await store.close()
        }
    }

    @Test func aWriterThatExpectsAVersionAlwaysWins() async throws {
        let bench = try await Bench()
        try await Self.fill(bench)
        let (records, platform) = (bench.records, try PlatformName("spotify"))
        let read = try (0..<Self.users).map { user in
            try #require(try records.read { try $0.connection(UserID("user-\(user)"), platform) })
        }
        async let rotated = records.rotate()
        var lost = 0
        for var connection in read {
            connection.accessToken = Secret("fresh")
            let (fresh, version) = (connection, connection.version)
            do {
                _ = try await records.write { try $0.put(fresh, expecting: version) }
            } catch { lost += 1 }
        }
        #expect(try await rotated.destroyed == [1])
        #expect(lost == 0)
        for connection in read {
            let now = try records.read { try $0.connection(connection.user, platform) }
            #expect(now?.accessToken == Secret("fresh"))
        }
        #expect(try Self.whole(bench.reopened()))
    }

    @Test func readersSeeEverythingThroughout() async throws {
        let bench = try await Bench()
        try await Self.fill(bench)
        let records = bench.records
        async let rotated = records.rotate()
        for _ in 0..<20 { #expect(try Self.whole(records)) }
        _ = try await rotated
        #expect(try Self.whole(records))
    }

    @Test func aDamagedRecordKeepsTheOldKeyAndIsNamed() async throws {
        let bench = try await Bench()
        try await Self.fill(bench)
        let (key, value) = try #require(try bench.rows(.records).first { $0.0.starts(with: Array("user-7\0".utf8)) })
        var damaged = value
        damaged[100] ^= 1
        try await bench.set(damaged, for: key, in: .records)
        let result = try await bench.records.rotate()
        #expect(result.destroyed.isEmpty && result.damaged.map(\.name?.user.rawValue) == ["user-7"])
        #expect(try bench.records.status().terms.map(\.state) == ["readable", "active"])
        // Mended, here by connecting again, the next call finishes it.
        try await bench.put(bench.connection("user-7", endsAt: bench.now + .seconds(9000), dueAt: bench.now))
        let again = try await bench.records.rotate()
        #expect(again.resumed && again.destroyed == [1] && again.damaged.isEmpty)
        #expect(try Self.whole(bench.reopened()))
    }

    /// What goes wrong on the disk once everything is sealed anew.
    enum Mishap: CaseIterable { case turned, lost, oldOneBack }

    /// Done before the reading back, it keeps the old key. Done after it, as if nothing were read back, the old key is
    /// destroyed, and what it had sealed with it: nothing else would notice.
    @Test(arguments: Mishap.allCases, [Records.RotationStep.resealed, .readBack])
    func whatGoesWrongIsFoundByReadingBackAlone(_ mishap: Mishap, _ step: Records.RotationStep) async throws {
        let bench = try await Bench()
        try await Self.fill(bench)
        let (key, old) = try #require(try bench.rows(.records).first)
        let taken = Taken()
        let result = try await bench.records.rotate(progress: { _, _ in }) { now in
            guard now == step, try bench.records.rotationStatus().remaining == 0, await taken.first() else { return }
            var value = try #require(try bench.rows(.records).first).1
            value[100] ^= 1
            switch mishap {
            case .turned: try await bench.set(value, for: key, in: .records)
            case .lost: _ = try await bench.store.write { try $0.delete(key.span.bytes, in: .records) }
            case .oldOneBack: try await bench.set(old, for: key, in: .records)
            }
        }
        #expect(result.damaged.isEmpty == (step == .readBack))
        #expect(result.destroyed == (step == .readBack ? [1] : []))
        // With its key still there, the old value opens; the check finds what is wrong either way.
        try await bench.set(old, for: key, in: .records)
        #expect(try bench.reopened().verify().isSound == false)
        let problem = try bench.reopened().verify().problems.first
        #expect((problem?.kind == .contents) == (step == .resealed), "\(String(describing: problem))")
    }

    @Test func oneRotationAtATime() async throws {
        let bench = try await Bench()
        try await Self.fill(bench)
        let records = bench.records
        _ = try await records.rotate(progress: { _, _ in }) { step in
            guard step == .added else { return }
            #expect(await code { _ = try await records.rotate() } == .conflict)
        }
        #expect(try await records.rotate().term == 3)
    }

    @Test func aCancelledRotationStopsBetweenTwoSteps() async throws {
        let bench = try await Bench()
        try await Self.fill(bench)
        let records = bench.records
        let task = Task {
            try await records.rotate(progress: { _, _ in }) { step in
                if step == .resealed { withUnsafeCurrentTask { $0?.cancel() } }
            }
        }
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(try records.rotationStatus().isUnfinished && Self.whole(records))
        #expect(try await records.rotate().resumed)
    }

    @Test func aBackupOfTheMiddleIsWhole() async throws {
        let folder = try Folder()
        let bench = try await Bench()
        try await Self.fill(bench)
        let (records, key) = (bench.records, bench.key)
        let file = folder.path + "/middle.vault"
        let taken = Taken()
        _ = try await records.rotate(progress: { _, _ in }) { step in
            guard step == .resealed, await taken.first() else { return }
            _ = try await Backup.write(records, to: file) { _, _ in }
        }
        #expect(try Backup.verify(file, rootKey: key) { _, _ in }.connections == Self.users)
        let restored = MemoryStore()
        _ = try await Backup.restore(file, into: restored, rootKey: key, isSingleUse: { _ in false }) { _, _ in }
        let vault = try Records.open(restored, rootKey: key, clock: bench.clock)
        #expect(try await vault.rotate().destroyed == [1])
    }

    private actor Taken {
        private var isTaken = false
        func first() -> Bool {
            defer { isTaken = true }
            return !isTaken
        }
    }
}
