import Glibc
import Testing
import VaultBase

@testable import VaultStore

/// What the LMDB store promises about creation.
@Suite struct LMDBCreationTests {
    let scratch = Scratch()

    @Test func takesAnEmptyDirectory() async throws {
        mkdir(scratch.store, 0o755)
        let store = try LMDBStore.create(at: scratch.store)
        #expect(Files.status(scratch.store)?.st_mode == S_IFDIR | 0o700)
        await store.close()
    }

    @Test func neverReplacesWhatIsThere() async throws {
        let store = try LMDBStore.create(at: scratch.store)
        try await store.put("one", for: "a")
        await store.close()
        let taken = ["file", "link", "full"].map { "\(scratch.path)/\($0)" }
        Glibc.close(try Files.open(taken[0], O_CREAT | O_WRONLY))
        symlink("\(scratch.path)/nowhere", taken[1])
        mkdir(taken[2], 0o700)
        Glibc.close(try Files.open("\(taken[2])/file", O_CREAT | O_WRONLY))
        for path in taken + [scratch.store] {
            #expect(await code { _ = try LMDBStore.create(at: path) } == .conflict)
        }
        #expect(Files.names(in: scratch.path).sorted() == ["file", "full", "link", "store"])
        let again = try LMDBStore.open(at: scratch.store)
        #expect(try again.text("a") == "one")
        await again.close()
    }

    @Test func aCreationThatWasKilledLeavesNoStoreAndIsClearedAway() async throws {
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = scratch.store as String] in
            var options = LMDBStore.Options()
            options.beforeRename = { _ = kill(getpid(), SIGKILL) }
            _ = try LMDBStore.create(at: path, options: options)
        }
        let drafts = Files.names(in: scratch.path)
        #expect(drafts.count == 1 && drafts[0].hasPrefix(".store.creating-"))
        #expect(await code { _ = try LMDBStore.open(at: scratch.store) } == .noStore)
        await (try LMDBStore.create(at: scratch.store)).close()
        #expect(Files.names(in: scratch.path) == ["store"])
    }

    @Test func leavesACreationUnderWayAlone() async throws {
        let draft = "\(scratch.path)/.store.creating-abcdef"
        mkdir(draft, 0o700)
        let owner = try Ownership(of: draft)
        await (try LMDBStore.create(at: scratch.store)).close()
        #expect(Files.names(in: draft) == ["vault.lock"])
        owner.release()
    }

    @Test func oneOfManyCreatorsWins() async throws {
        let winners = await withTaskGroup(of: Int.self) { group in
            for _ in 0..<8 {
                group.addTask { [path = scratch.store as String] in
                    do {
                        await (try LMDBStore.create(at: path)).close()
                        return 1
                    } catch { return 0 }
                }
            }
            return await group.reduce(0, +)
        }
        #expect(winners == 1)
        #expect(Files.names(in: scratch.path) == ["store"])
    }
}
