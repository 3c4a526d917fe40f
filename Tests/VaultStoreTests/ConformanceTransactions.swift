import Testing
import VaultBase
import VaultStore

/// What every store promises about transactions and about many callers at once.
@Suite struct ConformanceTransactions {
    @Test(arguments: Kind.allCases) func aWriteReadsWhatItWrote(kind: Kind) async throws {
        try await kind.with { store async throws in
            try await store.put("old", for: "a")
            let seen = try await store.write { transaction in
                try transaction.put("new", for: "a")
                try transaction.put("one", for: "b")
                try transaction.delete("b")
                try transaction.put("two", for: "c")
                return [try transaction.text("a"), try transaction.text("b"), "\(try transaction.count(.records))"]
                    + (try transaction.keys())
            }
            #expect(seen == ["new", nil, "2", "a", "c"])
        }
    }

    @Test(arguments: Kind.allCases) func whatIsLoadedIsThereAtOnceAndWhateverTheOrder(kind: Kind) async throws {
        try await kind.with { store async throws in
            try await store.put("old", for: "c")
            let count = try await store.load { transaction in
                for (key, value) in [("a", "1"), ("d", "2"), ("b", "3"), ("c", "new"), ("e", "4")] {
                    try transaction.append(value.utf8.span.bytes, for: key.utf8.span.bytes, in: .records)
                }
                return try transaction.count(.records)
            }
            #expect(count == 5)
            #expect(try store.keys() == ["a", "b", "c", "d", "e"])
            #expect(try store.text("c") == "new" && store.text("b") == "3")
            await #expect(throws: Refusal()) { try await store.load { _ in throw Refusal() } }
            try await store.put("5", for: "f")
            #expect(try store.keys().count == 6)
        }
    }

    @Test(arguments: Kind.allCases) func whatWasLentToOneReadServesNoOther(kind: Kind) async throws {
        try await kind.with { store async throws in
            try await store.put("0", for: "a")
            var kept: (any StoreReading)?
            try store.read { kept = $0 }
            try store.read { transaction throws in
                #expect(try transaction.text("a") == "0")
                #expect(throws: VaultError.self) { try kept?.text("a") }
            }
        }
    }

    @Test(arguments: Kind.allCases) func aReadSeesOneMoment(kind: Kind) async throws {
        try await kind.with { store async throws in
            try await store.put("0", for: "a")
            let gate = Gate()
            // The writer waits in the middle of its transaction while this reads, then commits while this still reads.
            let write = Task {
                try await store.write { transaction in
                    try transaction.put("1", for: "a")
                    try transaction.put("1", for: "b")
                    gate.pass(1)
                    gate.wait(for: 2)
                }
                gate.pass(3)
            }
            try await onThread {
                gate.wait(for: 1)
                try store.read { transaction throws in
                    #expect(try transaction.text("a") == "0")
                    gate.pass(2)
                    gate.wait(for: 3)
                    #expect(try transaction.text("a") == "0")
                    #expect(try transaction.text("b") == nil)
                    #expect(try transaction.keys() == ["a"])
                    // A read inside a read is a snapshot of its own.
                    #expect(try store.text("b") == "1")
                }
            }
            try await write.value
            #expect(try store.keys() == ["a", "b"])
        }
    }

    @Test(arguments: Kind.allCases) func anOperationThatThrowsLeavesNothing(kind: Kind) async throws {
        try await kind.with { store async throws in
            try await store.put("old", for: "a")
            await #expect(throws: Refusal()) {
                try await store.write { transaction in
                    try transaction.put("new", for: "a")
                    try transaction.put("one", for: "b")
                    throw Refusal()
                }
            }
            #expect(try store.text("a") == "old")
            #expect(try store.keys() == ["a"])
        }
    }

    @Test(arguments: Kind.allCases) func oneThatThrowsAmong200HarmsNoOther(kind: Kind) async throws {
        try await kind.with { store async throws in
            let outcomes = await withTaskGroup(of: (Int, Result<Int, any Error>).self) { group in
                for number in 0..<200 {
                    group.addTask {
                        do {
                            let answer = try await store.write { transaction in
                                // A third throws at once, a third after it has written, a third not at all.
                                if number % 3 == 1 { throw Refusal(number: number) }
                                let count = Int(try transaction.text("count", in: .state) ?? "0") ?? 0
                                try transaction.put("\(count + 1)", for: "count", in: .state)
                                try transaction.put("value", for: "key-\(number)")
                                if number % 3 == 2 { throw Refusal(number: number) }
                                return number
                            }
                            return (number, .success(answer))
                        } catch { return (number, .failure(error)) }
                    }
                }
                return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
            }
            for number in 0..<200 {
                switch outcomes[number] {
                case .success(let answer): #expect(number % 3 == 0 && answer == number)
                case .failure(let error): #expect(number % 3 != 0 && error as? Refusal == Refusal(number: number))
                case nil: Issue.record("\(number) was not answered")
                }
            }
            #expect(try store.keys() == stride(from: 0, to: 200, by: 3).map { "key-\($0)" }.sorted())
            #expect(try store.text("count", in: .state) == "67")
        }
    }

    @Test(arguments: Kind.allCases) func each1000ConcurrentWritersIsAnsweredOnce(kind: Kind) async throws {
        try await kind.with { store async throws in
            let answers = try await withThrowingTaskGroup(of: Int.self) { group in
                for number in 0..<1000 {
                    group.addTask {
                        try await store.write { transaction in
                            let count = 1 + (Int(try transaction.text("count", in: .state) ?? "0") ?? 0)
                            try transaction.put("\(count)", for: "count", in: .state)
                            try transaction.put("\(count)", for: "key-\(number)")
                            return count
                        }
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(answers.sorted() == Array(1...1000))
            #expect(try store.text("count", in: .state) == "1000")
            #expect(try store.read { try $0.count(.records) } == 1000)
        }
    }

    @Test(arguments: Kind.allCases) func onlyOneOfManyTakesAnEmptyPlace(kind: Kind) async throws {
        try await kind.with { store async throws in
            let winners = await withTaskGroup(of: Int.self) { group in
                for number in 0..<100 {
                    group.addTask {
                        let won = try? await store.write { transaction in
                            if try transaction.text("place") != nil { throw Refusal() }
                            try transaction.put("\(number)", for: "place")
                            return true
                        }
                        return won == true ? 1 : 0
                    }
                }
                return await group.reduce(0, +)
            }
            #expect(winners == 1)
        }
    }

    @Test(arguments: Kind.allCases) func aCancelledCallersWriteIsDoneAllTheSame(kind: Kind) async throws {
        try await kind.with { store async throws in
            let task = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                try await store.put("one", for: "a")
            }
            try await task.value
            #expect(try store.text("a") == "one")
        }
    }
}
