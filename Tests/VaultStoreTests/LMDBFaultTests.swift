import CLMDB
import Glibc
import Synchronization
import Testing
import VaultBase

@testable import VaultStore

/// What happens when the disk is full or fails. The faults are real errors of system calls: another file
/// is put under the store's descriptor.
@Suite struct LMDBFaultTests {
    let scratch = Scratch()

    /// The data file's descriptor, and the one through which LMDB writes its meta page.
    private func descriptors() throws -> (data: Int32, meta: Int32) {
        let both = Descriptors.open(below: scratch.path).filter { Descriptors.target($0) == scratch.data }
        let meta = try #require(both.first { fcntl($0, F_GETFL) & O_DSYNC != 0 })
        let data = try #require(both.first { $0 != meta })
        return (data, meta)
    }

    private func put(_ path: String, _ flags: Int32, under descriptor: Int32) throws -> Int32 {
        let kept = dup(descriptor)
        let other = try Files.open(path, flags)
        dup2(other, descriptor)
        Glibc.close(other)
        return kept
    }

    @Test func aFullDiskRefusesWritesAndReadsGoOn() async throws {
        let store = try LMDBStore.create(at: scratch.store)
        try await store.put("one", for: "a")
        let data = try descriptors().data
        let kept = try put("/dev/full", O_RDWR, under: data)
        for _ in 0..<3 { #expect(await code { try await store.put("two", for: "a") } == .full) }
        #expect(try store.text("a") == "one")
        #expect(store.failure == nil && !store.isInDoubt)
        dup2(kept, data)
        Glibc.close(kept)
        try await store.put("three", for: "a")
        await store.close()
        let again = try LMDBStore.open(at: scratch.store)
        #expect(try again.text("a") == "three")
        await again.close()
    }

    @Test(arguments: [true, false]) func aFailedDiskStopsEveryWrite(atMetaPage: Bool) async throws {
        let seen = Mutexed<[VaultError.Code]>([])
        var options = LMDBStore.Options()
        options.onFailure = { error in seen.update { $0.append(error.code) } }
        let store = try LMDBStore.create(at: scratch.store, options: options)
        try await store.put("one", for: "a")
        let both = try descriptors()
        let kept = try put("/dev/null", O_RDONLY, under: atMetaPage ? both.meta : both.data)
        #expect(await code { try await store.put("two", for: "a") } == .unknownOutcome)
        dup2(kept, atMetaPage ? both.meta : both.data)
        Glibc.close(kept)
        // The disk is well again, but what it holds is not known until the store is opened.
        for _ in 0..<2 { #expect(await code { try await store.put("three", for: "a") } == .unknownOutcome) }
        #expect(store.failure?.code == .unknownOutcome)
        #expect(seen.value == [.unknownOutcome])
        await store.close()
        let again = try LMDBStore.open(at: scratch.store)
        #expect(try again.text("a") == "one")
        try await again.put("four", for: "a")
        // Remembered until somebody has looked at all of it, however often it is opened.
        #expect(again.isInDoubt)
        await again.close()
        let third = try LMDBStore.open(at: scratch.store)
        #expect(third.isInDoubt)
        try third.settleDoubt()
        await third.close()
        let fourth = try LMDBStore.open(at: scratch.store)
        #expect(!fourth.isInDoubt)
        await fourth.close()
    }

    @Test func aFileLimitIsAFullDisk() async throws {
        await #expect(processExitsWith: .success) { [path = scratch.store as String] in
            LMDBStore.prepareProcess()
            let store = try LMDBStore.create(at: path)
            let value = String(repeating: "v", count: 10000)
            try await store.put(value, for: "first")
            var limit = rlimit()
            getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
            limit.rlim_cur = 1 << 20
            setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
            var stored = 0
            let failure = await code {
                while stored < 400 {
                    try await store.put(value, for: "key-\(stored)")
                    stored += 1
                }
            }
            #expect(failure == .full)
            #expect((20..<110).contains(stored))
            #expect(store.failure == nil)
            #expect(try store.text("first") == value)
            #expect(try store.read { try $0.count(.records) } == stored + 1)
            limit.rlim_cur = limit.rlim_max
            setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
            try await store.put(value, for: "again")
            await store.close()
            let again = try LMDBStore.open(at: path)
            #expect(try again.read { try $0.count(.records) } == stored + 2)
            await again.close()
        }
    }

    @Test func aReaderThatWasKilledHoldsNothingBack() async throws {
        await (try LMDBStore.create(at: scratch.store)).close()
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = scratch.store as String] in
            let store = try LMDBStore.open(at: path)
            try store.read { _ in _ = kill(getpid(), SIGKILL) }
        }
        let store = try LMDBStore.open(at: scratch.store)
        for number in 0..<20 { try await store.put("\(number)", for: "a") }
        let before = try store.statistics().fileBytes
        for number in 0..<100 { try await store.put("\(number)", for: "a") }
        #expect(try store.statistics().fileBytes <= before + 5 * 4096)
        await store.close()
    }

    @Test(arguments: [
        (MDB_MAP_FULL, VaultError.Code.full), (ENOSPC, .full), (EDQUOT, .full), (EFBIG, .full), (EIO, .unknownOutcome),
        (MDB_PANIC, .unknownOutcome), (MDB_CORRUPTED, .damaged), (MDB_PAGE_NOTFOUND, .damaged), (MDB_INVALID, .damaged),
        (MDB_VERSION_MISMATCH, .newerFormat), (MDB_READERS_FULL, .unavailable), (ENOMEM, .unavailable),
        (MDB_TXN_FULL, .badRequest), (EACCES, .file), (MDB_BAD_TXN, .internal),
    ]) func everyStatusHasItsCode(status: Int32, code: VaultError.Code) {
        let error = Fault.error(status, "write to the store")
        #expect(error.code == code)
        #expect(error.message.hasPrefix("cannot write to the store: "))
    }
}

/// A value that closures on other threads change.
final class Mutexed<Value: Sendable>: Sendable {
    private let mutex: Mutex<Value>
    init(_ value: Value) { mutex = Mutex(value) }
    var value: Value { mutex.withLock { $0 } }
    func update(_ body: (inout Value) -> Void) { mutex.withLock { body(&$0) } }
}
