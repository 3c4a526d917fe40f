import VaultBase
import VaultCrypto
public import VaultStore

extension Records {
    /// Copies everything into `target`, which must be empty, byte for byte, and proves that it is all there.
    ///
    /// A fresh store has no pages that once held something else: what was deleted or sealed by an old key is
    /// not in it. Nobody may write to this vault meanwhile.
    ///
    /// - Parameter progress: told how many of how many entries are done; each counts twice, once copied and
    ///   once read back.
    /// - Throws: `conflict` when the target is not empty or something was written meanwhile; `damaged`, with
    ///   what does not open, and then the copy is not to be used; `full`.
    public func copy(
        into target: any Store, progress: @escaping @Sendable (_ done: Int, _ total: Int) -> Void = { _, _ in }
    ) async throws {
        guard try target.read({ try Self.isEmpty($0) }) else {
            throw VaultError(.conflict, "the new store is not empty", hint: "name a place where nothing is")
        }
        let total = try store.statistics().counts.values.reduce(0, +)
        var done = 0
        for table in Table.allCases where table != .keyring {
            var next: [UInt8]? = []
            while let from = next {
                let (batch, end) = try entries(table, from: from)
                next = end
                guard !batch.isEmpty else { continue }
                try await target.load { transaction in
                    for (key, value) in batch {
                        try transaction.append(value.span.bytes, for: key.span.bytes, in: table)
                    }
                }
                done += batch.count
                progress(done, 2 * total)
            }
        }
        // Last, and the one write that waits for the disk: a copy that was cut off holds no vault.
        let keyring = try store.read { try Self.wrappedKeyring($0) }
        try await target.write { transaction in
            let key = Keyring.storeKey
            try transaction.put(keyring.span.bytes, for: key.span.bytes, in: .keyring)
        }
        let copied = done
        try await Blocking.run { [self] in
            try compare(with: target) { progress(min(copied + $0, 2 * total), 2 * total) }
        }
    }

    /// The next entries of a table, and where to go on; nil after the last.
    private func entries(_ table: Table, from: [UInt8]) throws -> ([([UInt8], [UInt8])], [UInt8]?) {
        try store.read { transaction in
            var batch: [([UInt8], [UInt8])] = []
            var next: [UInt8]?
            try transaction.scan(table, from: from.span.bytes) { key, value in
                guard batch.count < Self.copyBatch else {
                    next = key.withUnsafeBytes { Array($0) }
                    return false
                }
                batch.append((key.withUnsafeBytes { Array($0) }, value.withUnsafeBytes { Array($0) }))
                return true
            }
            return (batch, next)
        }
    }

    private static let copyBatch = 256

    private func compare(with target: any Store, _ progress: (Int) -> Void) throws {
        let copy = Records(
            store: target, clock: clock, keys: keys, openedBy: key,
            state: try target.read { try VaultState.load($0, keys) })
        let (mine, its) = (
            try store.read { try VaultState.load($0, keys) }, try target.read { try VaultState.load($0, keys) }
        )
        guard mine == its, try store.statistics().counts == target.statistics().counts,
            try store.read({ try Self.wrappedKeyring($0) }) == target.read({ try Self.wrappedKeyring($0) })
        else {
            throw VaultError(.conflict, "the vault was changed while it was copied", hint: "stop what writes to it")
        }
        let report = try copy.verify(progress: { done, _ in progress(done) })
        guard let problem = report.problems.first else { return }
        let more = report.problems.count - 1
        throw VaultError(
            .damaged, "\(problem.message)\(more > 0 ? ", and \(more) more" : "")",
            hint: "look at the vault first: vault check")
    }
}
