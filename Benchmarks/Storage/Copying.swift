import Synchronization
import VaultBase
import VaultRecords
import VaultStore

enum Copying {
    /// Two figures: until the file is flushed, which is all that the line in C does, and until it was read back whole
    /// and verified too, which is when `vault backup` returns.
    static func backup(_ path: String, to file: String) async throws {
        let records = try Place.openVault(path)
        let flushed = Mutex(0.0)
        let start = Measure.now()
        let manifest = try await Backup.write(records, to: file) { done, total in
            guard done * 2 == total else { return }
            flushed.withLock { if $0 == 0 { $0 = Measure.now() } }
        }
        let end = Measure.now()
        Measure.report("rate", Double(manifest.connections) / (flushed.withLock { $0 } - start))
        Measure.report("verified_rate", Double(manifest.connections) / (end - start))
        await records.store.close()
    }

    static func verify(_ file: String, of path: String) throws {
        let start = Measure.now()
        let manifests = try OpenBackup([file], with: .key(Place.key(path))).verify { _, _ in }
        Measure.report("rate", Double(manifests[0].connections) / (Measure.now() - start))
    }

    static func restore(_ file: String, of path: String, into new: String) async throws {
        let key = try Place.key(path)
        let start = Measure.now()
        let store = try LMDBStore.create(at: new, options: Place.options)
        let manifest = try await OpenBackup([file], with: .key(key))
            .restore(into: store, isSingleUse: { _ in false }, progress: { _, _ in })
        Measure.report("rate", Double(manifest.connections) / (Measure.now() - start))
        await store.close()
    }
}
