import Testing
import VaultBase
import VaultStore

/// The stores there are; each runs the whole conformance suite.
enum Kind: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case memory, lmdb

    var testDescription: String { rawValue }

    func with<R>(
        quota: Int = 64 << 20, _ body: (any Store) async throws -> R
    ) async throws -> R {
        switch self {
        case .memory:
            return try await body(MemoryStore(quota: quota))
        case .lmdb:
            let scratch = Scratch(inMemory: true)
            var options = LMDBStore.Options()
            options.quota = quota
            let store = try LMDBStore.create(at: scratch.store, options: options)
            let result = try await body(store)
            await store.close()
            return result
        }
    }
}

/// What every store promises about single operations.
@Suite struct Conformance {
    @Test(arguments: Kind.allCases) func returnsWhatWasPut(kind: Kind) async throws {
        try await kind.with { store async throws in
            try await store.put("one", for: "a")
            try await store.put("two", for: "a", in: .sessions)
            try await store.put("", for: "empty")
            #expect(try store.text("a") == "one")
            #expect(try store.text("a", in: .sessions) == "two")
            #expect(try store.text("empty") == "")
            #expect(try store.text("b") == nil)
            try await store.put("three", for: "a")
            #expect(try store.text("a") == "three")
        }
    }

    @Test(arguments: Kind.allCases) func saysWhetherADeletedKeyWasThere(kind: Kind) async throws {
        try await kind.with { store async throws in
            try await store.put("one", for: "a")
            #expect(try await store.write { try $0.delete("a") })
            #expect(try await store.write { try !$0.delete("a") })
            #expect(try store.text("a") == nil)
        }
    }

    @Test(arguments: Kind.allCases) func scansInByteOrderFromAnyKey(kind: Kind) async throws {
        try await kind.with { store async throws in
            let names = ["b", "a", "\u{7f}", "ab", "a\u{0}z", "ba", "\u{ff}"]
            try await store.write { transaction in
                for name in names { try transaction.put("value", for: name) }
            }
            let sorted = names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
            #expect(try store.keys() == sorted)
            #expect(try store.keys(from: "ab") == Array(sorted.drop { $0 != "ab" }))
            #expect(try store.keys(from: "aa") == Array(sorted.drop { $0 != "ab" }))
            #expect(try store.keys(limit: 3) == Array(sorted.prefix(3)))
            #expect(try store.keys(from: "\u{10ffff}") == [])
            #expect(try store.keys(in: .audit) == [])
        }
    }

    @Test(arguments: Kind.allCases) func scansALargeTableOnceEach(kind: Kind) async throws {
        try await kind.with { store async throws in
            let names = (0..<3000).map { "key-\($0 &* 7919 % 3000)" }
            try await store.write { transaction in
                for name in names { try transaction.put("value of \(name)", for: name) }
            }
            #expect(try store.keys() == names.sorted())
            try await store.write { transaction in
                for name in names where name.hasSuffix("7") { try transaction.delete(name) }
            }
            #expect(try store.keys() == names.filter { !$0.hasSuffix("7") }.sorted())
            #expect(try store.read { try $0.count(.records) } == 2700)
        }
    }

    @Test(arguments: Kind.allCases) func keepsKeysAndValuesToTheirLimits(kind: Kind) async throws {
        try await kind.with { store async throws in
            let key = String(repeating: "k", count: 511)
            let value = String(repeating: "v", count: 16 << 10)
            try await store.put(value, for: key)
            #expect(try store.text(key) == value)
            #expect(await code { try await store.put("v", for: key + "k") } == .badRequest)
            #expect(await code { try await store.put(value + "v", for: "k") } == .badRequest)
            #expect(await code { try await store.put("v", for: "") } == .badRequest)
            #expect(try store.text("") == nil)
            #expect(try store.text(key + "k") == nil)
            #expect(try await store.write { try !$0.delete("") })
            #expect(try store.keys() == [key])
        }
    }

    @Test(arguments: Kind.allCases) func handsOnWhatAReadThrows(kind: Kind) async throws {
        try await kind.with { store async throws in
            try await store.put("one", for: "a")
            #expect(throws: Refusal(number: 1)) { try store.read { _ in throw Refusal(number: 1) } }
            #expect(throws: Refusal(number: 2)) {
                try store.read { try $0.get("a".utf8.span.bytes, in: .records) { _ in throw Refusal(number: 2) } }
            }
            #expect(throws: Refusal(number: 3)) {
                try store.read { try $0.scan(.records, from: "".utf8.span.bytes) { _, _ in throw Refusal(number: 3) } }
            }
            #expect(try store.text("a") == "one")
        }
    }

    @Test(arguments: Kind.allCases) func refusesATransactionThatEscaped(kind: Kind) async throws {
        try await kind.with { store async throws in
            let reading = try store.read { $0 }
            #expect(throws: VaultError.self) { try reading.count(.records) }
            #expect(throws: VaultError.self) { try reading.text("a") }
            #expect(throws: VaultError.self) { try reading.keys() }
        }
    }

    @Test(arguments: Kind.allCases) func refusesToWriteToATableThatIsBeingWalked(kind: Kind) async throws {
        try await kind.with { store async throws in
            try await store.put("one", for: "a")
            let failure = await code {
                try await store.write { transaction in
                    try transaction.scan(.records, from: "".utf8.span.bytes) { _, _ in
                        try transaction.put("one", for: "a", in: .sessions)
                        try transaction.delete("a")
                        return true
                    }
                }
            }
            #expect(failure == .internal)
            #expect(try store.keys() == ["a"])
            #expect(try store.keys(in: .sessions) == [])
        }
    }
}
