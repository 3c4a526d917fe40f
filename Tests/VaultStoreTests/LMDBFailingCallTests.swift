import CVaultFaults
import Glibc
import Testing
import VaultBase

@testable import VaultStore

/// Lets the first, the second, … system call fail until none is left to fail, and each time holds the
/// store to its word: what was answered is there, what was refused is not, what is unknown is whole or absent.
@Suite(.serialized) struct LMDBFailingCallTests {
    /// A way to fail.
    struct Fault: Sendable, CustomTestStringConvertible {
        let name: String
        let kinds: Int
        let fault: Int32
        var isForGood = false
        /// The answers that a write may get.
        var answers: Set<VaultError.Code?> = [nil, .unknownOutcome]

        var testDescription: String { name }

        func arm(_ directory: String, _ number: Int) {
            vault_faults_arm(directory, Int32(kinds), Int32(number), fault, isForGood ? 1 : 0)
        }

        static let all = [
            Fault(name: "a write fails", kinds: VAULT_FAULT_WRITES, fault: EIO),
            Fault(name: "writes fail for good", kinds: VAULT_FAULT_WRITES, fault: EIO, isForGood: true),
            Fault(name: "a write is done and fails", kinds: VAULT_FAULT_WRITES, fault: Int32(VAULT_FAULT_DONE)),
            Fault(
                name: "writes are done and fail for good", kinds: VAULT_FAULT_WRITES, fault: Int32(VAULT_FAULT_DONE),
                isForGood: true),
            Fault(name: "a write is short", kinds: VAULT_FAULT_WRITES, fault: Int32(VAULT_FAULT_SHORT)),
            Fault(
                name: "the disk is full once", kinds: VAULT_FAULT_WRITES, fault: ENOSPC,
                answers: [nil, .full, .unknownOutcome]),
            Fault(
                name: "the disk is full for good", kinds: VAULT_FAULT_WRITES, fault: ENOSPC, isForGood: true,
                answers: [nil, .full, .unknownOutcome]),
            Fault(name: "a write is interrupted", kinds: VAULT_FAULT_WRITES, fault: EINTR, answers: [nil]),
            Fault(name: "a flush fails", kinds: VAULT_FAULT_SYNCS, fault: EIO),
            Fault(name: "a flush finds the disk full", kinds: VAULT_FAULT_SYNCS, fault: ENOSPC, answers: [nil, .full]),
        ]
    }

    @Test(arguments: Fault.all) func theStoreKeepsItsWord(fault: Fault) async throws {
        var number = 0
        var failures = 0
        while true {
            number += 1
            let scratch = Scratch(inMemory: true)
            let store = try LMDBStore.create(at: scratch.store)
            try await store.put("base", for: "base")
            fault.arm(scratch.store, number)
            var codes: [VaultError.Code?] = []
            for write in 0..<6 { codes.append(await code { try await Self.work(write, in: store) }) }
            let calls = Int(vault_faults_disarm())
            // Otherwise the linker gave LMDB other functions than ours, and this would prove nothing.
            try #require(calls > 0)
            for code in codes { #expect(fault.answers.contains(code), "call \(number) of \(calls): \(codes)") }
            failures += codes.count { $0 != nil }

            if codes.contains(.unknownOutcome) {
                #expect(store.failure?.code == .unknownOutcome)
                #expect(await code { try await store.put("more", for: "more") } == .unknownOutcome)
            } else {
                #expect(store.failure == nil)
                try await store.put("more", for: "more")
                #expect(try Self.losses(codes, in: store) == [])
            }
            await store.close()

            let again = try LMDBStore.open(at: scratch.store)
            #expect(try Self.losses(codes, in: again) == [])
            try await again.put("last", for: "last")
            #expect(try again.text("last") == "last")
            await again.close()
            if calls < number { break }
        }
        #expect(number > 6)
        #expect((failures > 0) == (fault.answers != [nil]))
    }

    /// One operation of several pages in three tables.
    private static func work(_ number: Int, in store: LMDBStore) async throws {
        try await store.write { transaction in
            try transaction.put("\(number)", for: "key-\(number)")
            try transaction.put(String(repeating: "v", count: 3000 * number), for: "key-\(number)", in: .sessions)
            try transaction.put("\(number)", for: "last", in: .state)
            try transaction.delete("key-\(number - 3)", in: .sessions)
        }
    }

    /// What a store does not hold that it answered for, or holds although it refused.
    private static func losses(_ codes: [VaultError.Code?], in store: LMDBStore) throws -> [String] {
        var losses: [String] = []
        if try store.text("base") != "base" { losses.append("what was there before is gone") }
        for (number, code) in codes.enumerated() {
            let isThere = try store.text("key-\(number)") != nil
            switch code {
            case nil: if !isThere { losses.append("write \(number) was answered and is gone: \(codes)") }
            case .unknownOutcome: break
            default: if isThere { losses.append("write \(number) was refused and is there: \(codes)") }
            }
            // Whole or not at all; a later operation removes the session of the third before it.
            let last = Int(try store.text("last", in: .state) ?? "-1") ?? -1
            if isThere, last < number { losses.append("write \(number) is there and not counted") }
            if isThere, number + 3 > last,
                try store.text("key-\(number)", in: .sessions)?.utf8.count != 3000 * number
            {
                losses.append("write \(number) is half there")
            }
        }
        return losses
    }

    @Test func thisTestWouldNoticeWritesThatNeverHappen() async throws {
        let place = Scratch(inMemory: true)
        // In a process of its own: such a file may well crash LMDB.
        await #expect(processExitsWith: .failure) { [path = place.path as String] in
            let scratch = Scratch(in: path)
            guard let store = try? LMDBStore.create(at: scratch.store) else { exit(EXIT_SUCCESS) }
            try await store.put("base", for: "base")
            vault_faults_arm(scratch.store, Int32(VAULT_FAULT_WRITES), 1, Int32(VAULT_FAULT_LOST), 1)
            var codes: [VaultError.Code?] = []
            for write in 0..<6 { codes.append(await code { try await Self.work(write, in: store) }) }
            // A store that notices by itself would be no proof of this test.
            guard vault_faults_disarm() > 0, codes.contains(nil) else { exit(EXIT_SUCCESS) }
            exit(try Self.losses(codes, in: store).isEmpty ? EXIT_SUCCESS : EXIT_FAILURE)
        }
    }

    @Test(arguments: [EIO, ENOSPC]) func aCreationThatFailsLeavesNothing(error: Int32) async throws {
        var number = 0
        while true {
            number += 1
            let scratch = Scratch(inMemory: true)
            let kinds = Int32(VAULT_FAULT_WRITES | VAULT_FAULT_SYNCS)
            vault_faults_arm(scratch.path, kinds, Int32(number), error, 0)
            let failure = await code { await (try LMDBStore.create(at: scratch.store)).close() }
            let calls = Int(vault_faults_disarm())
            try #require(calls > 0)
            if calls < number {
                #expect(failure == nil)
                break
            }
            // The process number in the lock file is a courtesy; the last flush comes after the rename.
            if failure != nil, Files.names(in: scratch.path) != [] {
                #expect(Files.names(in: scratch.path) == ["store"])
                await (try LMDBStore.open(at: scratch.store)).close()
            }
        }
        #expect(number > 6)
    }
}
