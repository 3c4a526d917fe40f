import Testing
import VaultBase
import VaultStore

@testable import VaultRecords

/// One flipped bit where the vault's count looks, the way back from it, and what that gives up.
@Suite struct RecountTests {
    private let bench: Bench

    init() async throws {
        bench = try await Bench()
        for user in ["ada", "bob", "cy"] {
            try await bench.put(bench.connection(user, endsAt: bench.now + .seconds(60)))
        }
    }

    private func damage(_ user: String, _ change: (inout [UInt8]) -> Void) async throws {
        let (key, value) = try #require(try bench.rows(.records).first { $0.0.starts(with: user.utf8) })
        var changed = value
        change(&changed)
        try await bench.set(changed, for: key, in: .records)
    }

    /// Where the header and the tag are, and a value cut short.
    @Test(arguments: [0, 2, 4, 7, 8, 15, 16, 23, 48, 63, -1])
    func whatWasDamagedAndReplacedIsCountedAnew(byte: Int) async throws {
        try await damage("bob") { if byte < 0 { $0.removeLast($0.count - 40) } else { $0[byte] ^= 1 } }
        #expect(try bench.records.verify().problems.contains { $0.kind == .damaged })
        // Not while something does not open.
        #expect(await code { try await bench.records.recount() } == .damaged)
        let before = try bench.records.status()

        try await bench.put(bench.connection("bob"))
        #expect(try bench.records.status().sequence == before.sequence + 1)
        let problems = try bench.records.verify().problems
        #expect(Set(problems.map(\.kind)) == [.contents])
        // A term that was never there is not one of which less than nothing is sealed.
        let state = try bench.store.read { try VaultState.load($0, bench.records.keys) }
        #expect(state.terms.map(\.id) == [1] && state.terms.allSatisfy { (3...4).contains($0.count) })
        let folder = try Folder()
        #expect(await code { _ = try await Backup.write(bench.records, to: folder.path + "/a") { _, _ in } } != nil)

        #expect(try await bench.records.recount() == RecountResult(values: 3, changed: true))
        #expect(try bench.records.verify().isSound)
        #expect(try bench.records.status().terms.map(\.values) == [3])
        _ = try await Backup.write(bench.records, to: folder.path + "/b") { _, _ in }
        #expect(try await bench.records.rotate().damaged.isEmpty)
        #expect(try bench.reopened().verify().isSound)
        #expect(try await bench.records.recount() == RecountResult(values: 3, changed: false))
    }

    @Test func anIncrementOverARecountIsRefused() async throws {
        let folder = try Folder()
        let manifest = try await Backup.write(bench.records, to: folder.path + "/full") { _, _ in }
        try await damage("bob") { $0[8] ^= 1 }
        try await bench.put(bench.connection("bob"))
        try await bench.records.recount()
        // A scheduled backup takes this for a reason to make a full one.
        let refused = await code {
            _ = try await Backup.write(bench.records, to: folder.path + "/more", since: manifest.end) { _, _ in }
        }
        #expect(refused == .conflict)
        try await bench.put(bench.connection("dan"))
        let second = try await Backup.write(bench.records, to: folder.path + "/again") { _, _ in }
        try await bench.put(bench.connection("eve"))
        _ = try await Backup.write(bench.records, to: folder.path + "/then", since: second.end) { _, _ in }
    }

    @Test func whatIsGivenUpIsThatADroppedRecordIsNoticed() async throws {
        let key = try #require(try bench.rows(.records).first { $0.0.starts(with: "bob".utf8) }).0
        try await bench.store.write { _ = try $0.delete(key.span.bytes, in: .records) }
        #expect(try bench.records.verify().problems.contains { $0.kind == .contents })
        try await bench.records.recount()
        #expect(!(try bench.records.verify().problems.contains { $0.kind == .contents }))
    }
}
