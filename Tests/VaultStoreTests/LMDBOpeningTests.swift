import Glibc
import Testing
import VaultBase

@testable import VaultStore

/// What the LMDB store promises about who opens it, and where.
@Suite struct LMDBOpeningTests {
    let scratch = Scratch()

    @Test func keepsEverythingAcrossClosingAndOpening() async throws {
        let first = try LMDBStore.create(at: scratch.store)
        for table in Table.allCases { try await first.put("value of \(table)", for: "key", in: table) }
        await first.close()
        let second = try LMDBStore.open(at: scratch.store)
        for table in Table.allCases { #expect(try second.text("key", in: table) == "value of \(table)") }
        try await second.put("two", for: "key")
        await second.close()
        let third = try LMDBStore.open(at: scratch.store + "/")
        #expect(try third.text("key") == "two")
        await third.close()
    }

    @Test func namesWhatIsMissing() async {
        #expect(await code { _ = try LMDBStore.open(at: scratch.store) } == .noStore)
        #expect(await code { _ = try LMDBStore.open(at: "/dev/null") } == .noStore)
        #expect(await code { _ = try LMDBStore.create(at: "/dev/null/store") } == .file)
    }

    @Test func isOpenOnceInAProcessByAnyPath() async throws {
        let store = try LMDBStore.create(at: scratch.store)
        symlink(scratch.store, "\(scratch.path)/link")
        // A second directory with the same data file, and so with another lock.
        mkdir("\(scratch.path)/other", 0o700)
        link(scratch.data, "\(scratch.path)/other/data.mdb")
        for path in [scratch.store, "\(scratch.path)/link", "\(scratch.path)/other"] {
            let error = #expect(throws: VaultError.self) { try LMDBStore.open(at: path) }
            #expect(error?.code == .locked && error?.message.contains("in this process") == true)
        }
        try await store.put("one", for: "a")
        #expect(try store.text("a") == "one")
        await store.close()
        await (try LMDBStore.open(at: "\(scratch.path)/link")).close()
    }

    @Test func aLockIsOfTheDirectoryThatIsThere() async throws {
        await (try LMDBStore.create(at: scratch.store)).close()
        let (path, aside) = (scratch.store, "\(scratch.path)/aside")
        var moves = 0
        // Between opening and locking, as a restore exchanges it: the old directory's lock is worth nothing then.
        let ownership = try Ownership(of: path) {
            moves += 1
            guard moves == 1 else { return }
            rename(path, aside)
            mkdir(path, 0o700)
        }
        #expect(moves == 2)
        #expect(await code { _ = try Ownership(of: path) } == .locked)
        try Ownership(of: aside).release()
        ownership.release()
        // One that never holds still is given up.
        var next = 0
        #expect(
            await code {
                _ = try Ownership(of: path) {
                    next += 1
                    rename(path, "\(aside)-\(next)")
                    mkdir(path, 0o700)
                }
            } == .conflict)
    }

    @Test func isOpenInOneProcessOnly() async throws {
        let store = try LMDBStore.create(at: scratch.store)
        await #expect(processExitsWith: .success) { [path = scratch.store as String, owner = getpid() as Int32] in
            let error = #expect(throws: VaultError.self) { try LMDBStore.open(at: path) }
            #expect(error?.code == .locked)
            #expect(error?.message.contains("process \(owner)") == true)
            #expect(error?.hint != nil)
        }
        try await store.put("one", for: "a")
        await store.close()
        await #expect(processExitsWith: .success) { [path = scratch.store as String] in
            let store = try LMDBStore.open(at: path)
            #expect(try store.text("a") == "one")
            await store.close()
        }
    }

    @Test func refusesSharedFileSystems() async {
        for kind in [0x6969, 0xFF53_4D42, 0x0102_1997, 0x6573_5546] as [UInt32] {
            var options = LMDBStore.Options()
            options.fileSystem = { _ throws(VaultError) in kind }
            #expect(await code { _ = try LMDBStore.create(at: scratch.store, options: options) } == .locked)
            #expect(Files.names(in: scratch.path).isEmpty)
        }
        var options = LMDBStore.Options()
        options.fileSystem = { _ throws(VaultError) in 0x6969 }
        options.allowsAnyFileSystem = true
        let failure = await code { await (try LMDBStore.create(at: scratch.store, options: options)).close() }
        #expect(failure == nil)
        options.allowsAnyFileSystem = false
        #expect(await code { _ = try LMDBStore.open(at: scratch.store, options: options) } == .locked)
    }

    @Test func isForItsOwnerAlone() async throws {
        let old = umask(0)
        let store = try LMDBStore.create(at: "\(scratch.path)/above/store")
        umask(old)
        let directory = "\(scratch.path)/above/store"
        #expect(Files.status("\(scratch.path)/above")?.st_mode == S_IFDIR | 0o700)
        #expect(Files.status(directory)?.st_mode == S_IFDIR | 0o700)
        #expect(Files.names(in: directory).sorted() == ["data.mdb", "lock.mdb", "vault.lock"])
        for name in Files.names(in: directory) {
            #expect(Files.status("\(directory)/\(name)")?.st_mode == S_IFREG | 0o600)
        }
        await store.close()
    }

    @Test func leavesNoDescriptorToChildren() async throws {
        let store = try LMDBStore.create(at: scratch.store)
        _ = try store.text("a")
        let descriptors = Descriptors.open(below: scratch.path)
        // Data, meta page, LMDB's lock and ours.
        #expect(descriptors.count == 4)
        for descriptor in descriptors { #expect(fcntl(descriptor, F_GETFD) & FD_CLOEXEC != 0) }
        await store.close()
        #expect(Descriptors.open(below: scratch.path).isEmpty)
    }

    @Test func isClosedWhenNobodyHoldsIt() async throws {
        var store: LMDBStore? = try LMDBStore.create(at: scratch.store)
        try await store?.put("one", for: "a")
        store = nil
        while !Descriptors.open(below: scratch.path).isEmpty { await Task.yield() }
        let again = try LMDBStore.open(at: scratch.store)
        #expect(try again.text("a") == "one")
        await again.close()
    }

    @Test func refusesToWorkAfterAFork() async throws {
        // In a process of its own: other tests' threads hold locks that a forked child would wait for.
        await #expect(processExitsWith: .success) { [path = scratch.store as String] in
            typealias Fork = @convention(c) () -> pid_t
            let fork = try #require(dlsym(nil, "fork").map { unsafeBitCast($0, to: Fork.self) })
            let store = try LMDBStore.create(at: path)
            try await store.put("one", for: "a")
            let child = fork()
            if child == 0 {
                alarm(20)
                var answer: Int32 = 1
                do { _ = try store.text("a") } catch {
                    let error = error as? VaultError
                    answer = error?.code == .internal && error?.hint?.contains("fork") == true ? 0 : 2
                }
                _exit(answer)
            }
            var status: Int32 = -1
            waitpid(child, &status, 0)
            #expect(status == 0)
            #expect(try store.text("a") == "one")
            await store.close()
        }
    }

    @Test func mapsLessWhenAddressesAreFew() async throws {
        await (try LMDBStore.create(at: scratch.store)).close()
        await #expect(processExitsWith: .success) { [path = scratch.store as String] in
            var limit = rlimit(rlim_cur: 8 << 30, rlim_max: 8 << 30)
            setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit)
            let store = try LMDBStore.open(at: path)
            #expect(try store.statistics().quotaBytes <= 2 << 30)
            try await store.put("one", for: "a")
            #expect(try store.text("a") == "one")
            await store.close()
        }
    }
}

/// The open files of this process.
enum Descriptors {
    static func open(below path: String) -> [Int32] {
        Files.names(in: "/proc/self/fd").compactMap { Int32($0) }.filter { target($0).hasPrefix(path + "/") }
    }

    static func target(_ descriptor: Int32) -> String {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let length = buffer.withUnsafeMutableBytes {
            readlink("/proc/self/fd/\(descriptor)", $0.baseAddress!, $0.count)
        }
        return String(decoding: buffer[..<max(0, length)], as: UTF8.self)
    }
}
