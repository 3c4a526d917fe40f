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

    @Test func aSharedFileSystemIsNamedWithWhatToDo() async throws {
        await (try LMDBStore.create(at: scratch.store)).close()
        var options = LMDBStore.Options()
        options.fileSystem = { _ throws(VaultError) in 0x6969 }
        let opened = #expect(throws: VaultError.self) { try LMDBStore.open(at: scratch.store, options: options) }
        let place = scratch.path + "/new"
        let made = #expect(throws: VaultError.self) { try LMDBStore.create(at: place, options: options) }
        for (error, path) in [(opened, scratch.store), (made, scratch.path)] {
            #expect(error?.message.contains(path) == true && error?.message.contains("(nfs)") == true)
            #expect(error?.hint?.contains("store.path") == true)
        }
    }

    /// By the quota and by the map, which says so when reads keep what was freed.
    @Test(arguments: [false, true]) func noRoomSaysWhereToGetSome(byMap: Bool) async throws {
        var options = LMDBStore.Options()
        if byMap { options.mapSize = 1 << 20 } else { options.quota = 2 << 20 }
        let store = try LMDBStore.create(at: scratch.store, options: options)
        let value = String(repeating: "v", count: 16 << 10)
        let failure = try await LMDBWriterTests.whileReading(store) { () -> VaultError? in
            do {
                for round in 0..<400 { try await store.put(value, for: byMap ? "key-\(round % 8)" : "key-\(round)") }
                return nil
            } catch { return error as? VaultError }
        }
        #expect(failure?.code == .full)
        #expect(failure?.hint?.contains("raise store.quota") == true && failure?.hint?.contains("delete") == true)
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
