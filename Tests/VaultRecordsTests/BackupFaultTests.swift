import CVaultFaults
import Glibc
import Testing
import VaultBase
import VaultCrypto
import VaultRecords
import VaultStore

/// Lets the first, the second, … system call of a backup or a restore fail until none is left to fail: there is a
/// whole backup or none, a whole vault or none, and the error says which.
@Suite(.serialized) struct BackupFaultTests {
    let vaults: BackupBench
    var folder: Folder { vaults.folder }
    init() throws { vaults = try BackupBench() }

    /// A way to fail.
    struct Fault: Sendable, CustomTestStringConvertible {
        let name: String
        let kinds: Int
        let fault: Int32
        var answers: Set<VaultError.Code?> = [nil, .file]

        var testDescription: String { name }

        func arm(_ directory: String, _ number: Int) {
            vault_faults_arm_plan(Fault.plan, directory, Int32(kinds), Int32(number), fault, 0)
        }

        /// The store's own suites have others, and run at the same time.
        static let plan: Int32 = 1
        static let writes = VAULT_FAULT_STREAMS | VAULT_FAULT_WRITES
        static let done = Int32(VAULT_FAULT_DONE)
        static let short = Int32(VAULT_FAULT_SHORT)

        static let ofBackups = [
            Fault(name: "a write fails", kinds: writes, fault: EIO),
            Fault(name: "the disk is full", kinds: writes, fault: ENOSPC, answers: [nil, .full]),
            Fault(name: "a write is done and fails", kinds: writes, fault: done),
            Fault(name: "a write is short", kinds: writes, fault: short, answers: [nil]),
            Fault(name: "a write is interrupted", kinds: writes, fault: EINTR, answers: [nil]),
            Fault(name: "a flush fails", kinds: VAULT_FAULT_SYNCS, fault: EIO),
            Fault(name: "a flush finds the disk full", kinds: VAULT_FAULT_SYNCS, fault: ENOSPC, answers: [nil, .full]),
            Fault(name: "a read fails", kinds: VAULT_FAULT_READS, fault: EIO),
            Fault(name: "a read is short", kinds: VAULT_FAULT_READS, fault: short, answers: [nil]),
            Fault(
                name: "the disk changes a bit", kinds: writes, fault: Int32(VAULT_FAULT_CHANGED),
                answers: [nil, .damaged]),
        ]

        static let ofStores = [
            Fault(name: "a write fails", kinds: writes, fault: EIO, answers: [nil, .unknownOutcome]),
            Fault(name: "the disk is full", kinds: writes, fault: ENOSPC, answers: [nil, .full, .unknownOutcome]),
            Fault(name: "a write is short", kinds: writes, fault: short, answers: [nil, .unknownOutcome]),
            Fault(name: "a flush fails", kinds: VAULT_FAULT_SYNCS, fault: EIO, answers: [nil, .unknownOutcome]),
        ]
    }

    /// More than one chunk.
    private func filled() async throws -> Bench {
        let bench = try await vaults.filled()
        let connections = try (0..<20).map {
            try bench.connection("u\($0)", token: String(repeating: "x", count: 8_000))
        }
        try await bench.records.write { for connection in connections { try $0.put(connection, expecting: 0) } }
        return bench
    }

    @Test(arguments: Fault.ofBackups) func aBackupIsWholeOrNotThere(fault: Fault) async throws {
        let bench = try await filled()
        var (number, failures) = (0, 0)
        while true {
            number += 1
            fault.arm(folder.path, number)
            let answer = await code { _ = try await vaults.backup(bench) }
            let calls = Int(vault_faults_disarm_plan(Fault.plan))
            try #require(calls > 0)
            #expect(fault.answers.contains(answer), "call \(number) of \(calls)")
            if answer == nil {
                #expect(try folder.names() == ["b"])
                #expect(try Backup.verify(vaults.path("b"), rootKey: bench.key) { _, _ in }.connections == 24)
                unlink(vaults.path("b"))
            } else {
                failures += 1
                #expect(try folder.names() == [])
            }
            if calls < number { break }
        }
        #expect(number > 2)
        #expect((failures > 0) == (fault.answers != [nil]))
    }

    /// Every write was answered, and yet the file is another than the one that was meant: what would have got the
    /// backup's name if nobody read it back is looked at here at the moment before.
    @Test func withoutReadingBackAChangedBackupWouldGetItsName() async throws {
        let bench = try await filled()
        var (number, unseen) = (0, 0)
        while true {
            number += 1
            let (path, copy) = (folder.path, folder.path + "/copy")
            vault_faults_arm_plan(Fault.plan, path, Int32(Fault.writes), Int32(number), Int32(VAULT_FAULT_CHANGED), 0)
            let answer = await code {
                _ = try await Backup.write(bench.records, to: vaults.path("b")) { done, total in
                    // Written and flushed, not yet read.
                    guard total > 0, 2 * done == total, let names = try? folder.names(),
                        let partial = names.first(where: { $0.contains(".partial-") })
                    else { return }
                    link(path + "/" + partial, copy)
                }
            }
            let calls = Int(vault_faults_disarm_plan(Fault.plan))
            let isWhole = (try? Backup.verify(copy, rootKey: bench.key) { _, _ in }) != nil
            // The header's own checksum is looked at before anything else is read back.
            if unlink(copy) != 0 { unseen += 1 }
            #expect(try folder.names() == (answer == nil ? ["b"] : []))
            unlink(vaults.path("b"))
            guard calls >= number else {
                #expect(answer == nil && isWhole)
                break
            }
            // The first bytes are written twice: what is lost of the place kept for them harms nobody.
            #expect((answer == nil) == isWhole, "call \(number) of \(calls)")
            #expect(answer == .damaged || number == 1)
        }
        #expect(number > 4 && unseen == 1)
    }

    @Test(arguments: Fault.ofStores) func aRestoredVaultIsWholeOrNone(fault: Fault) async throws {
        let bench = try await filled()
        let (path, manifest) = try await vaults.backup(bench)
        var (number, failures) = (0, 0)
        while true {
            number += 1
            let place = "\(folder.path)/store-\(number)"
            let store = try LMDBStore.create(at: place)
            fault.arm(place, number)
            let answer = await code {
                _ = try await Backup.restore(path, into: store, rootKey: bench.key, isSingleUse: { _ in false }) {
                    _, _ in
                }
            }
            let calls = Int(vault_faults_disarm_plan(Fault.plan))
            try #require(calls > 0)
            await store.close()
            #expect(fault.answers.contains(answer), "call \(number) of \(calls)")
            failures += answer == nil ? 0 : 1
            let again = Result { try LMDBStore.open(at: place) }
            if let store = try? again.get() {
                let records = Result { try Records.open(store, rootKey: bench.key, clock: bench.clock) }
                if let records = try? records.get() {
                    // The last write may be there although it was not answered: then all is.
                    #expect(try records.verify().isSound && records.status().connections == manifest.connections)
                } else {
                    #expect(answer != nil)
                }
                await store.close()
            } else {
                #expect(answer != nil)
            }
            if calls < number { break }
        }
        #expect(number > 1 && failures > 0)
    }

    @Test func aRestoreThatCannotReadWritesNothing() async throws {
        let bench = try await filled()
        _ = try await vaults.backup(bench)
        mkdir(vaults.path("backups"), 0o700)
        #expect(rename(vaults.path("b"), vaults.path("backups/b")) == 0)
        var number = 0
        while true {
            number += 1
            let store = MemoryStore()
            vault_faults_arm_plan(Fault.plan, vaults.path("backups"), Int32(VAULT_FAULT_READS), Int32(number), EIO, 0)
            let answer = await code {
                _ = try await Backup.restore(
                    vaults.path("backups/b"), into: store, rootKey: bench.key, isSingleUse: { _ in false }
                ) { _, _ in }
            }
            let calls = Int(vault_faults_disarm_plan(Fault.plan))
            #expect(answer == (calls < number ? nil : .file))
            // Read twice: what the second reading cannot finish is no vault yet.
            let isVault = (try? Records.open(store, rootKey: bench.key, clock: bench.clock)) != nil
            #expect(isVault == (answer == nil))
            if calls < number { break }
        }
        #expect(number > 8)
    }
}
