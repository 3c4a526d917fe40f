import Glibc
import Testing
import VaultBase

@testable import VaultStore

/// What the store says where it cannot do what it is asked: too many reads, and owners in other containers.
@Suite struct LMDBGuardRailTests {
    let scratch = Scratch()

    @Test func refusesOneReadTooManyAndGoesOn() async throws {
        var options = LMDBStore.Options()
        options.readers = 4
        let store = try LMDBStore.create(at: scratch.store, options: options)
        try await store.put("one", for: "a")
        func reads(within depth: Int) throws -> Int {
            try store.read { _ in depth == 0 ? 0 : 1 + (try reads(within: depth - 1)) }
        }
        let error = #expect(throws: VaultError.self) { try reads(within: 16) }
        #expect(error?.code == .unavailable)
        #expect(error?.hint != nil)
        // All slots are free again, and a write was never in question.
        #expect(try reads(within: 3) == 3)
        #expect(try reads(within: 3) == 3)
        try await store.put("two", for: "a")
        #expect(try store.text("a") == "two")
        await store.close()
    }

    @Test(arguments: [
        ("1 pid:[1]\n", "process 1 in another container"), ("77\n", "process 77"), ("", "another process"),
        ("words that are no number\n", "another process"), (String(repeating: "9", count: 200), "another process"),
    ]) func namesTheOwnerByWhatTheLockSays(text: String, name: String) async throws {
        await (try LMDBStore.create(at: scratch.store)).close()
        let lock = open("\(scratch.store)/vault.lock", O_RDWR | O_TRUNC | O_CLOEXEC)
        defer { close(lock) }
        try #require(flock(lock, LOCK_EX | LOCK_NB) == 0)
        write(lock, text, text.utf8.count)
        let error = #expect(throws: VaultError.self) { try LMDBStore.open(at: scratch.store) }
        #expect(error?.code == .locked)
        #expect(error?.message.contains(name) == true)
        #expect(error?.message.contains("in this process") == false)
    }

    @Test func saysWhoseItIsInTheLock() async throws {
        let store = try LMDBStore.create(at: scratch.store)
        let lock = open("\(scratch.store)/vault.lock", O_RDONLY | O_CLOEXEC)
        defer { close(lock) }
        #expect(Holder(writtenIn: lock) == .own)
        #expect(Holder.own.process == getpid())
        #expect(Holder.own.namespace?.hasPrefix("pid:[") == true)
        await store.close()
    }
}
