import Testing
import VaultBase
import VaultCrypto
import VaultRecords
import VaultStore

/// A fresh store without what was deleted.
@Suite struct CompactionTests {
    private func contains(_ file: [UInt8], _ part: [UInt8]) -> Bool {
        guard let first = part.first else { return false }
        return file.withUnsafeBufferPointer { file in
            part.withUnsafeBufferPointer { part in
                var from = 0
                while let index = file[from...].firstIndex(of: first) {
                    if file.count - index < part.count { return false }
                    if file[index..<(index + part.count)].elementsEqual(part) { return true }
                    from = index + 1
                }
                return false
            }
        }
    }

    @Test func whatWasDeletedIsInTheOldFileAndNotInTheNew() async throws {
        let folder = try Folder()
        let old = try LMDBStore.create(at: folder.path + "/old")
        let bench = try await Bench(old)
        for user in 0..<40 { try await bench.put(bench.connection("user-\(user)", endsAt: bench.now + .seconds(900))) }
        let gone = try bench.rows(.records).prefix(20)
        let canaries = gone.map { Array($0.1.suffix(64)) }
        try await bench.records.write { transaction in
            for (key, _) in gone {
                let user = String(decoding: key.prefix { $0 != 0 }, as: UTF8.self)
                _ = try transaction.delete(UserID(user), PlatformName("spotify"))
            }
        }
        let new = try LMDBStore.create(at: folder.path + "/new")
        try await bench.records.copy(into: new)
        await old.close()
        await new.close()
        let (before, after) = (try folder.read("old/data.mdb"), try folder.read("new/data.mdb"))
        #expect(canaries.contains { contains(before, $0) }, "the test would prove nothing")
        #expect(canaries.allSatisfy { !contains(after, $0) })

        let store = try LMDBStore.open(at: folder.path + "/new")
        let records = try Records.open(store, rootKey: bench.key, clock: bench.clock)
        #expect(try records.verify().isSound && records.status().connections == 20)
        await store.close()
    }

    @Test func aDamagedVaultIsNotCompacted() async throws {
        let bench = try await Bench()
        for user in ["ada", "bob"] { try await bench.put(bench.connection(user)) }
        var row = try bench.rows(.records)[1]
        row.1[90] ^= 1
        try await bench.set(row.1, for: row.0, in: .records)
        #expect(await code { try await bench.records.copy(into: MemoryStore()) } == .damaged)
    }

    @Test func aPlaceThatHoldsSomethingIsRefused() async throws {
        let (bench, other) = (try await Bench(), try await Bench())
        #expect(await code { try await bench.records.copy(into: other.store) } == .conflict)
    }
}
