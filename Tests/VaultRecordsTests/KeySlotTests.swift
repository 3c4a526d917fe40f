import Testing
import VaultBase
import VaultCrypto
import VaultRecords
import VaultStore

/// Several keys for one vault: added, proven, removed, replaced.
@Suite struct KeySlotTests {
    private let cheap = Argon2id.Cost(passes: 1, kibibytes: 8)
    private let words = Secret("correct horse battery")

    @Test func eachKeyOpensTheVaultAndItsBackups() async throws {
        let folder = try Folder()
        let bench = try await Bench()
        try await bench.put(bench.connection())
        let recovery = try RecoveryKey.generate()
        let second = try GuardedKey.generate()
        #expect(try await bench.records.addKey(NewKey(recovery)).kind == .recovery)
        #expect(try await bench.records.addKey(NewKey(rootKey: second)).kind == .rootKey)
        #expect(try await bench.records.addKey(NewKey(passphrase: words, cost: cheap)).kind == .passphrase)
        #expect(bench.records.keySlots().map(\.isInUse) == [true, false, false, false])
        let file = folder.path + "/b.vault"
        _ = try await Backup.write(bench.records, to: file) { _, _ in }
        for unlock in [UnlockKey.key(bench.key), .key(recovery.key), .key(second), .passphrase(words)] {
            let records = try Records.open(bench.store, with: unlock, clock: bench.clock)
            #expect(try records.read { try $0.connection(UserID("ada"), PlatformName("spotify")) } != nil)
            #expect(
                try OpenBackup([file], with: .vault(unlock)).verify { _, _ in }.map(\.connections) == [1])
        }
        #expect(try bench.records.verify().isSound)
    }

    @Test func aRemovedKeyOpensNothingAndTheOthersStillDo() async throws {
        let bench = try await Bench()
        let second = try GuardedKey.generate()
        let slot = try await bench.records.addKey(NewKey(rootKey: second))
        #expect(try await bench.records.removeKey(String(slot.id.prefix(8))) == slot)
        #expect(await code { _ = try Records.open(bench.store, rootKey: second) } == .wrongKey)
        #expect(try bench.reopened().keySlots().count == 1)
    }

    @Test func theKeyThatIsKnownToWorkStays() async throws {
        let bench = try await Bench()
        let own = bench.records.keySlots()[0]
        #expect(await code { _ = try await bench.records.removeKey(own.id) } == .conflict)
        let second = try GuardedKey.generate()
        let slot = try await bench.records.addKey(NewKey(rootKey: second))
        #expect(await code { _ = try await bench.records.removeKey(own.id) } == .conflict)
        #expect(await code { _ = try await bench.records.removeKey("") } == .notFound)
        let other = try Records.open(bench.store, rootKey: second, clock: bench.clock)
        #expect(
            try await other.removeKey(own.id)
                == KeySlot?(own).map {
                    var own = $0; own.isInUse = false; return own
                })
        #expect(await code { _ = try await other.removeKey(slot.id) } == .conflict)
        #expect(await code { _ = try bench.reopened() } == .wrongKey)
    }

    @Test func aChangedPassphraseWrapsAnewAndTouchesNoRecord() async throws {
        let store = MemoryStore()
        let clock = HandClock()
        let records = try await Records.create(in: store, key: NewKey(passphrase: words, cost: cheap), clock: clock)
        let bench = try await Bench()
        try await records.write { [connection = try bench.connection()] in _ = try $0.put(connection, expecting: 0) }
        let rows = try store.read { try $0.count(.records) }
        let terms = try records.status().terms
        let slot = records.keySlots()[0]
        let vaultID = try records.status().vaultID
        #expect(try KeySlot.opens(words, id: slot.id, parameters: slot.parameters, vaultID: vaultID))
        #expect(try !KeySlot.opens(Secret("another one"), id: slot.id, parameters: slot.parameters, vaultID: vaultID))
        let changed = try await records.replaceKey(
            slot.id, with: NewKey(passphrase: Secret("a new set of words"), cost: cheap))
        #expect(changed.isInUse && records.keySlots() == [changed])
        #expect(await code { _ = try Records.open(store, with: .passphrase(words)) } == .wrongKey)
        let reopened = try Records.open(store, with: .passphrase(Secret("a new set of words")), clock: clock)
        #expect(try reopened.status().terms == terms)
        #expect(try store.read { try $0.count(.records) } == rows && reopened.verify().isSound)
    }

    @Test func twoCommandsAtOnceLoseNoKey() async throws {
        let bench = try await Bench()
        var added = 0
        await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<8 {
                group.addTask { (try? await bench.records.addKey(NewKey(rootKey: .generate()))) != nil }
            }
            for await isAdded in group where isAdded { added += 1 }
        }
        #expect(added >= 1)
        #expect(try bench.reopened().keySlots().count == added + 1)
    }

    @Test func thereIsRoomForSixteen() async throws {
        let bench = try await Bench()
        for _ in 1..<16 { _ = try await bench.records.addKey(NewKey(rootKey: .generate())) }
        #expect(await code { _ = try await bench.records.addKey(NewKey(rootKey: .generate())) } == .conflict)
        let slot = bench.records.keySlots()[3]
        _ = try await bench.records.replaceKey(slot.id, with: NewKey(rootKey: .generate()))
        #expect(try bench.reopened().keySlots().count == 16)
    }
}
