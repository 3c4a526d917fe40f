import VaultBase
import VaultCrypto
public import VaultStore

extension OpenBackup {
    /// Restores into `store`, which must be empty and is of no use afterwards, and proves that what is there is
    /// what the backup says: counts, sequence and set hash, and that every value opens.
    ///
    /// The store is locked by a key that nobody has.
    ///
    /// - Throws: what ``restore(into:newKey:isSingleUse:progress:)`` throws; `damaged` when something is not right.
    public func drill(
        into store: any Store, progress: @escaping @Sendable (_ done: Int, _ total: Int) -> Void
    ) async throws -> Backup.Manifest {
        let key = try GuardedKey.generate()
        let manifest = try await restore(
            into: store, newKey: NewKey(rootKey: key), isSingleUse: { _ in false }, progress: progress)
        let records = try Records.open(store, rootKey: key)
        let report = try await Blocking.run { try records.verify() }
        if let problem = report.problems.first {
            throw VaultError(
                .damaged, "the restored vault is not sound: \(problem.message)",
                hint: "make a new full backup, and keep this one to look at")
        }
        let status = report.status
        guard status.connections == manifest.connections, status.sequence >= manifest.sequence,
            status.vaultID == Hex.encode(manifest.vaultID)
        else {
            throw VaultError(
                .damaged,
                "the restored vault holds \(status.connections) connections, the backup \(manifest.connections)",
                hint: "make a new full backup, and keep this one to look at")
        }
        return manifest
    }
}
