import Testing
import VaultBase
import VaultStore

/// What every store promises about its quota, its end and its figures.
@Suite struct ConformanceLimits {
    @Test(arguments: Kind.allCases) func aFullStoreReadsAndDeletesAndThenWritesAgain(kind: Kind) async throws {
        try await kind.with(quota: 2 << 20) { store async throws in
            let value = String(repeating: "v", count: 1000)
            var stored = 0
            let failure = await code {
                while stored < 4000 {
                    let next = stored..<stored + 25
                    try await store.write { transaction in
                        for number in next { try transaction.put(value, for: "key-\(number)") }
                    }
                    stored = next.upperBound
                }
            }
            #expect(failure == .full)
            #expect((500..<2100).contains(stored))
            let statistics = try store.statistics()
            #expect(statistics.usedBytes <= statistics.quotaBytes)
            #expect(try store.text("key-0") == value)
            #expect(try store.read { try $0.count(.records) } == stored)

            let last = stored
            for start in stride(from: 0, to: last, by: 25) {
                try await store.write { transaction in
                    for number in start..<start + 25 { try transaction.delete("key-\(number)") }
                }
            }
            try await store.put(value, for: "again")
            #expect(try store.keys() == ["again"])
        }
    }

    @Test(arguments: Kind.allCases) func theLastOfTheRoomIsForWhatMustGoOn(kind: Kind) async throws {
        try await kind.with(quota: 2 << 20) { store async throws in
            let value = String(repeating: "v", count: 1000)
            /// Writes new keys until that is refused; how many there were.
            @Sendable func fill(_ room: StoreRoom, _ name: String) async throws -> Int {
                for number in 0..<4000 {
                    let failure = await code {
                        try await store.write { transaction in
                            transaction.room = room
                            try transaction.put(value, for: "\(name)-\(number)")
                        }
                    }
                    guard failure == nil else {
                        #expect(failure == .full)
                        return number
                    }
                }
                return 4000
            }
            #expect(try await fill(.growing, "new") > 500)
            // What is no longer than what it replaces is not new.
            try await store.put(String(repeating: "w", count: 1000), for: "new-0")
            try await store.put("shorter", for: "new-1")
            let kept = try await fill(.saving, "kept")
            #expect((10..<200).contains(kept))
            #expect(try store.statistics().usedBytes <= 2 << 20)
            try await store.write { transaction in
                #expect(transaction.room == .growing)
                transaction.room = .shrinking
                for number in 0..<100 { try transaction.put(value, for: "told-\(number)") }
                transaction.room = .growing
                #expect(throws: VaultError.self) { try transaction.put(value, for: "late") }
            }
            #expect(try store.text("told-99") == value && store.text("new-0")?.first == "w")
            #expect(await code { try await store.put(value, for: "late") } == .full)
        }
    }

    @Test(arguments: Kind.allCases) func aFullOperationHarmsNoOther(kind: Kind) async throws {
        try await kind.with(quota: 2 << 20) { store async throws in
            let value = String(repeating: "v", count: 16 << 10)
            let outcomes = await withTaskGroup(of: (Int, VaultError.Code?).self) { group in
                for number in 0..<40 {
                    group.addTask {
                        let failure = await code {
                            try await store.write { transaction in
                                // Every fourth asks for more than there can be.
                                let count = number % 4 == 0 ? 200 : 1
                                for part in 0..<count { try transaction.put(value, for: "key-\(number)-\(part)") }
                            }
                        }
                        return (number, failure)
                    }
                }
                return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
            }
            for number in 0..<40 { #expect(outcomes[number] == (number % 4 == 0 ? .full : nil)) }
            #expect(try store.keys() == (0..<40).filter { $0 % 4 != 0 }.map { "key-\($0)-0" }.sorted())
        }
    }

    @Test(arguments: Kind.allCases) func closingFinishesWhatWasAcceptedAndRefusesTheRest(kind: Kind) async throws {
        try await kind.with { store async throws in
            let answered = await withTaskGroup(of: Int.self) { group in
                for number in 0..<300 {
                    group.addTask {
                        do {
                            try await store.put("value", for: "key-\(number)")
                            return 1
                        } catch { return (error as? VaultError)?.code == .unavailable ? 0 : -1000 }
                    }
                }
                group.addTask {
                    await store.close()
                    return 0
                }
                return await group.reduce(0, +)
            }
            #expect((0...300).contains(answered))
            #expect(await code { try await store.put("value", for: "late") } == .unavailable)
            #expect(await code { _ = try store.text("key-0") } == .unavailable)
            #expect(await code { _ = try store.statistics() } == .unavailable)
            await store.close()
        }
    }

    @Test(arguments: Kind.allCases) func countsWhatItHoldsAndDoes(kind: Kind) async throws {
        try await kind.with { store async throws in
            let before = try store.statistics()
            #expect(before.counts == Dictionary(uniqueKeysWithValues: Table.allCases.map { ($0, 0) }))
            #expect(before.operations == 0 && before.commits == 0)
            for number in 0..<5 { try await store.put("value", for: "key-\(number)") }
            try await store.put("value", for: "one", in: .due)
            _ = await code { try await store.write { _ in throw Refusal() } }
            let after = try store.statistics()
            #expect(after.counts[.records] == 5 && after.counts[.due] == 1 && after.counts[.audit] == 0)
            #expect(after.operations == 6 && (1...6).contains(after.commits))
            #expect(after.usedBytes > before.usedBytes && after.quotaBytes == 64 << 20)
            #expect(after.waiting == 0)
        }
    }
}
