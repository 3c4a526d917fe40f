import Testing
import VaultBase
import VaultStore

/// A store as it was at one moment.
@Suite struct LMDBSnapshotTests {
    let scratch = Scratch()

    @Test func everyReadSeesTheMomentItWasOpenedAt() async throws {
        let store = try LMDBStore.create(at: scratch.store)
        try await store.put("old", for: "key")
        let snapshot = try LMDBSnapshot(at: scratch.store, owned: true)
        try await store.put("new", for: "key")
        try await store.put("value", for: "later")
        #expect(try snapshot.text("key") == "old" && snapshot.keys() == ["key"])
        #expect(try snapshot.statistics().counts[.records] == 1)
        #expect(try store.text("key") == "new")
        #expect(await code { try await snapshot.put("value", for: "key") } == .badRequest)
        await snapshot.close()
        #expect(await code { _ = try snapshot.text("key") } == .unavailable)
        await store.close()
    }

    @Test func aloneItNeedsTheStoreForItself() async throws {
        #expect(await code { _ = try LMDBSnapshot(at: scratch.store, owned: false) } == .noStore)
        let store = try LMDBStore.create(at: scratch.store)
        try await store.put("value", for: "key")
        #expect(await code { _ = try LMDBSnapshot(at: scratch.store, owned: false) } == .locked)
        await store.close()
        let snapshot = try LMDBSnapshot(at: scratch.store, owned: false)
        #expect(try snapshot.text("key") == "value")
        #expect(await code { _ = try LMDBStore.open(at: scratch.store) } == .locked)
    }

    @Test func aReaderThatDiedIsForgotten() async throws {
        let store = try LMDBStore.create(at: scratch.store)
        try await store.put("value", for: "key")
        await #expect(processExitsWith: .failure) { [path = scratch.store as String] in
            let snapshot = try LMDBSnapshot(at: path, owned: true)
            guard try snapshot.text("key") == "value" else { return }
            fatalError("in the middle of a read")
        }
        #expect(store.forgetDeadReaders() == 1)
        #expect(store.forgetDeadReaders() == 0)
        await store.close()
    }
}
