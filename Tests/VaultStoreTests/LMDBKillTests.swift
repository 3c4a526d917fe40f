import Glibc
import Synchronization
import Testing
import VaultBase

@testable import VaultStore

/// Kills a writing process with SIGKILL and looks whether anything it was answered is gone.
@Suite struct LMDBKillTests {
    /// Answers to wait for before the kill: each round dies at another moment.
    @Test(arguments: moments) func nothingThatWasAnsweredIsLost(answers: Int) async throws {
        let scratch = Scratch()
        await (try LMDBStore.create(at: scratch.store)).close()
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = scratch.path as String, answers] in
            try await Self.writeAndDie(in: path, after: answers, answersFirst: false)
        }
        let answered = try Self.lines("\(scratch.path)/answers")
        try #require(answered.count >= answers)

        let store = try LMDBStore.open(at: scratch.store)
        #expect(try Self.lost(answered, in: store) == [])
        try store.read { transaction in
            // The counter moves in the same transaction as the key it counts: all or nothing.
            let count = Int(try transaction.text("count", in: .state) ?? "0") ?? 0
            #expect(try transaction.count(.records) == count && count >= answered.count)
        }
        try await store.put("value", for: "after")
        await store.close()
    }

    @Test func thisTestWouldNoticeAStoreThatAnswersBeforeItHasWritten() async throws {
        let scratch = Scratch()
        await (try LMDBStore.create(at: scratch.store)).close()
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = scratch.path as String] in
            try await Self.writeAndDie(in: path, after: 50, answersFirst: true)
        }
        let store = try LMDBStore.open(at: scratch.store)
        #expect(try !Self.lost(Self.lines("\(scratch.path)/answers"), in: store).isEmpty)
        await store.close()
    }

    /// As many as `VAULT_FAULT_SEEDS` says, each at a moment of its own; at least five.
    private static let moments: [Int] = {
        let count = getenv("VAULT_FAULT_SEEDS").flatMap { Int(String(cString: $0)) } ?? 5
        return [1, 10, 57, 200, 500] + (0..<max(0, count - 5)).map { 3 + $0 * 7919 % 700 }
    }()

    /// The keys that were answered and are not there.
    private static func lost(_ answered: [String], in store: LMDBStore) throws -> [String] {
        try answered.filter { try store.text($0) != "value of \($0)" }
    }

    private static func writeAndDie(in path: String, after answers: Int, answersFirst: Bool) async throws {
        let store = try LMDBStore.open(at: "\(path)/store")
        // One write(2) per answer: it survives the process, and the test sees no disk but the store's.
        let log = try Files.open("\(path)/answers", O_CREAT | O_WRONLY | O_APPEND)
        try await withThrowingTaskGroup(of: Void.self) { group in
            let counter = Counter(answers)
            for writer in 0..<8 {
                group.addTask {
                    for number in 0..<10_000 {
                        let key = "key-\(writer)-\(number)"
                        let line = Array("\(key)\n".utf8)
                        if answersFirst {
                            _ = Glibc.write(log, line, line.count)
                            if counter.isLast() { kill(getpid(), SIGKILL) }
                        }
                        try await store.write { transaction in
                            let count = Int(try transaction.text("count", in: .state) ?? "0") ?? 0
                            try transaction.put("\(count + 1)", for: "count", in: .state)
                            try transaction.put("value of \(key)", for: key)
                        }
                        if answersFirst { continue }
                        _ = Glibc.write(log, line, line.count)
                        if counter.isLast() { kill(getpid(), SIGKILL) }
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    private final class Counter: Sendable {
        private let left: Mutex<Int>
        init(_ count: Int) { left = Mutex(count) }
        func isLast() -> Bool {
            left.withLock { left in
                left -= 1
                return left == 0
            }
        }
    }

    private static func lines(_ path: String) throws -> [String] {
        let descriptor = try Files.open(path, O_RDONLY)
        defer { Glibc.close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        let length = read(descriptor, &bytes, bytes.count)
        // A line that was cut off was not answered.
        return bytes[..<max(0, length)].split(separator: 0x0A, omittingEmptySubsequences: false).dropLast()
            .map { String(decoding: $0, as: UTF8.self) }
    }
}
