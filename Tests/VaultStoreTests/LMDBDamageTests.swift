import Glibc
import Testing
import VaultBase

@testable import VaultStore

/// A file that is not what it was gives an error, not a crash, wherever that can be seen.
@Suite struct LMDBDamageTests {
    let scratch = Scratch()

    private func fill() async throws {
        let store = try LMDBStore.create(at: scratch.store)
        let value = String(repeating: "v", count: 900)
        try await store.write { transaction in
            for number in 0..<500 { try transaction.put(value, for: "key-\(number)") }
        }
        // Moves the roots to pages that were used before, away from the end of the file.
        for _ in 0..<5 { try await store.put(value, for: "key-0") }
        await store.close()
    }

    private func overwrite(_ bytes: [UInt8], at offset: Int) throws {
        let descriptor = try Files.open(scratch.data, O_WRONLY)
        #expect(pwrite(descriptor, bytes, bytes.count, offset) == bytes.count)
        Glibc.close(descriptor)
    }

    private func failure() async -> VaultError? {
        do { await (try LMDBStore.open(at: scratch.store)).close() } catch { return error as? VaultError }
        return nil
    }

    @Test(arguments: [0, 1, 4096, 8191, 8192, 40960, 300_000]) func noticesAFileCutShort(length: Int) async throws {
        try await fill()
        #expect(truncate(scratch.data, length) == 0)
        for _ in 0..<2 {
            let failure = await failure()
            #expect(failure?.code == .damaged && failure?.hint != nil)
            // What is left stays as it is, for whoever tries to save it.
            #expect(Files.status(scratch.data)?.st_size == length)
        }
    }

    @Test func noticesThatOnlyTheLastPagesAreMissing() async throws {
        try await fill()
        let length = Int(try #require(Files.status(scratch.data)).st_size) - 8 * 4096
        #expect(truncate(scratch.data, length) == 0)
        let failure = await failure()
        #expect(failure?.code == .damaged && failure?.message.contains("cut short: 8 pages") == true)
        #expect(Files.status(scratch.data)?.st_size == length)
    }

    @Test(arguments: [0..<4096, 4096..<8192, 0..<8192, 16..<17, 4112..<4113, 40..<44])
    func noticesDamagedMetaPages(range: Range<Int>) async throws {
        try await fill()
        try overwrite([UInt8](repeating: 0, count: range.count), at: range.lowerBound)
        #expect(await failure()?.code == .damaged)
    }

    /// The number of the newest transaction, as LMDB would believe it: with less there, an older state opens.
    @Test(arguments: [0, 1]) func noticesThatTheLastTransactionWouldBeForgotten(extra: Int) async throws {
        try await fill()
        let store = try LMDBStore.open(at: scratch.store)
        for number in 0..<extra { try await store.put("\(number)", for: "more") }
        await store.close()
        var numbers: [UInt8] = [0, 0]
        let descriptor = try Files.open(scratch.data, O_RDONLY)
        for page in 0..<2 { #expect(pread(descriptor, &numbers[page], 1, page * 4096 + 144) == 1) }
        Glibc.close(descriptor)
        let newest = numbers[0] > numbers[1] ? 0 : 1
        for less in [numbers[newest] & 1, 2 | numbers[newest] & 1] where less != numbers[newest] {
            try overwrite([less], at: newest * 4096 + 144)
            #expect(await failure()?.code == .damaged)
        }
        try overwrite([numbers[newest]], at: newest * 4096 + 144)
        #expect(await failure() == nil)
    }

    @Test func namesANewerFormat() async throws {
        try await fill()
        try overwrite([2, 0, 0, 0], at: 20)
        try overwrite([2, 0, 0, 0], at: 4096 + 20)
        let error = await failure()
        #expect(error?.code == .newerFormat && error?.hint?.contains("version") == true)
    }

    @Test func refusesAFileOfSomethingElse() async throws {
        try await fill()
        try overwrite((0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }, at: 0)
        #expect(await failure()?.code == .damaged)
    }

    @Test func opensAHealthyFileWhoseLastPagesWereNeverWritten() async throws {
        let first = try LMDBStore.create(at: scratch.store)
        // Pages taken and given back in one transaction are counted and not written.
        for round in 0..<40 where try !Preflight(scratch.data).isShort {
            try await first.write { transaction in
                for number in 0..<100 {
                    let mixed = (round * 100 + number) &* 7919
                    let value = String(repeating: "v", count: mixed % (number % 5 == 0 ? 16000 : 900))
                    try transaction.put(value, for: "key-\(mixed % 2000)")
                }
                guard round % 11 == 10 else { return }
                for number in 0..<2000 { try transaction.delete("key-\(number)") }
                try transaction.put("one", for: "a")
            }
        }
        await first.close()
        try #require(try Preflight(scratch.data).isShort)
        for text in ["one", "two", "three"] {
            let store = try LMDBStore.open(at: scratch.store)
            #expect(try store.keys() == ["a"] && store.text("a") == text)
            try await store.put(text == "one" ? "two" : "three", for: "a")
            await store.close()
        }
    }
}
