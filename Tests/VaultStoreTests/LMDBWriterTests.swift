import Glibc
import Synchronization
import Testing
import VaultBase

@testable import VaultStore

/// What the writer promises beyond what every store does.
@Suite struct LMDBWriterTests {
    let scratch = Scratch()

    /// Lets `count` operations gather behind one that holds the writer, then runs them.
    private func gather(
        _ count: Int, in store: LMDBStore, _ body: @escaping @Sendable (Int, any StoreWriting) throws -> Void
    ) async -> [VaultError.Code?] {
        let gate = Gate()
        async let first: Void? = try? store.write { _ in
            gate.pass(1)
            gate.wait(for: 2)
        }
        while !gate.hasPassed(1) { await Task.yield() }
        let codes = await withTaskGroup(of: (Int, VaultError.Code?).self) { group in
            for number in 0..<count {
                group.addTask { (number, await code { try await store.write { try body(number, $0) } }) }
            }
            while ((try? store.statistics().waiting) ?? 0) < min(count + 1, 16384) { await Task.yield() }
            gate.pass(2)
            return await group.reduce(into: [VaultError.Code?](repeating: nil, count: count)) { $0[$1.0] = $1.1 }
        }
        _ = await first
        return codes
    }

    @Test func commitsTogetherWhatWaits() async throws {
        let store = try LMDBStore.create(at: scratch.store)
        let codes = await gather(200, in: store) { try $1.put("value", for: "key-\($0)") }
        #expect(codes.allSatisfy { $0 == nil })
        let statistics = try store.statistics()
        // The one that waited wrote nothing.
        #expect(statistics.commits == 1)
        #expect(statistics.operations == 201)
        #expect(statistics.lastCommit != nil)
        await store.close()
    }

    @Test func commitsAtMost256OperationsOr4MiBAtOnce() async throws {
        let store = try LMDBStore.create(at: scratch.store)
        _ = await gather(1000, in: store) { try $1.put("value", for: "key-\($0)") }
        #expect(try store.statistics().commits == 4)
        let value = String(repeating: "v", count: 16 << 10)
        _ = await gather(10, in: store) { number, transaction in
            for part in 0..<64 { try transaction.put(value, for: "key-\(number)-\(part)", in: .due) }
        }
        // Four of 1 MiB and a little make 4 MiB.
        #expect(try store.statistics().commits == 4 + 3)
        await store.close()
    }

    @Test func spoiledTransactionsAreRunAgainInOrderWithoutTheSpoiler() async throws {
        let store = try LMDBStore.create(at: scratch.store)
        let codes = await gather(100, in: store) { number, transaction in
            let order = try transaction.text("order", in: .state) ?? ""
            try transaction.put(order + ".", for: "order", in: .state)
            if number % 10 == 3 { throw VaultError(.conflict, "a test") }
        }
        for number in 0..<100 { #expect(codes[number] == (number % 10 == 3 ? .conflict : nil)) }
        #expect(try store.text("order", in: .state)?.count == 90)
        await store.close()
    }

    @Test func anOperationThatHidesAFailureOfTheStoreIsNotCommitted() async throws {
        var options = LMDBStore.Options()
        options.mapSize = 1 << 20
        let store = try LMDBStore.create(at: scratch.store, options: options)
        let value = String(repeating: "v", count: 16 << 10)
        // Freed pages stay in sight of the read, so the map fills although the quota does not.
        let failure = try await Self.whileReading(store) {
            await code {
                for _ in 0..<200 {
                    try await store.write { transaction in
                        for part in 0..<8 { try? transaction.put(value, for: "key-\(part)") }
                    }
                }
            }
        }
        #expect(failure == .full)
        #expect(try store.text("key-0") == value)
        #expect(store.failure == nil)
        try await store.put("one", for: "a")
        await store.close()
    }

    @Test func refusesMoreWaitingWritesThanTheQueueTakes() async throws {
        var options = LMDBStore.Options()
        options.queueLimit = 3
        let store = try LMDBStore.create(at: scratch.store, options: options)
        let gate = Gate()
        async let first: Void = store.write { _ in gate.wait(for: 1) }
        // Nothing else comes before it: what is done with does not wait.
        while try store.statistics().waiting < 1 { await Task.yield() }
        async let second: Void = store.put("one", for: "a")
        async let third: Void = store.put("two", for: "b")
        while try store.statistics().waiting < 3 { await Task.yield() }
        #expect(await code { try await store.put("three", for: "c") } == .unavailable)
        gate.pass(1)
        _ = try await (first, second, third)
        try await store.put("four", for: "d")
        #expect(try store.keys() == ["a", "b", "d"])
        await store.close()
    }

    @Test func refusesAReadWhenNoReaderIsLeft() async throws {
        var options = LMDBStore.Options()
        options.readers = 2
        let store = try LMDBStore.create(at: scratch.store, options: options)
        try store.read { _ in
            try store.read { _ in
                let error = #expect(throws: VaultError.self) { try store.read { _ in } }
                #expect(error?.code == .unavailable)
            }
        }
        #expect(try store.text("a") == nil)
        await store.close()
    }

    /// Runs `body` while a read that began before it goes on.
    static func whileReading<R: Sendable>(_ store: LMDBStore, _ body: () async -> R) async throws -> R {
        let gate = Gate()
        async let reading: Void = onThread {
            try store.read { _ in
                gate.pass(1)
                gate.wait(for: 2)
            }
        }
        while !gate.hasPassed(1) { await Task.yield() }
        let result = await body()
        gate.pass(2)
        try await reading
        return result
    }
}
