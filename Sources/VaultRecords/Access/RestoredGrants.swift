import VaultBase
import VaultCrypto
import VaultStore

/// How far telling of the grants that a restore made `uncertain` has come; gone once all were told of.
///
/// Those grants are known by their versions: above the backup's and no later than the restore's last. One that was
/// written since has told for itself.
///
/// Under `restored` in the table `state`: format u8 = 1 · after u64 · up to u64 · the key to go on from
struct RestoredGrants: Equatable {
    var after: UInt64
    var upTo: UInt64
    var key: [UInt8] = []

    static let storeKey = Array("restored".utf8)

    /// How many records one transaction looks at.
    fileprivate static let lookLimit = 4096

    var encoded: [UInt8] {
        var bytes: [UInt8] = [1]
        bytes.append(u64: after)
        bytes.append(u64: upTo)
        return bytes + key
    }

    /// nil when there is nothing left to tell, or another version wrote it.
    static func load(_ transaction: any StoreReading) throws -> RestoredGrants? {
        guard let bytes = try Records.bytes(storeKey, in: .state, transaction) else { return nil }
        return bytes.withUnsafeBytes { bytes in
            var reader = ByteReader(bytes)
            guard reader.u8() == 1, let after = reader.u64(), let upTo = reader.u64() else { return nil }
            return RestoredGrants(after: after, upTo: upTo, key: Array(reader.rest))
        }
    }

    func covers(_ header: Header) -> Bool { header.version > after && header.version <= upTo }
}

extension RecordsView {
    /// Whether a restore made grants `uncertain` that nobody was told of yet.
    public func hasRestoredGrants() throws -> Bool { try RestoredGrants.load(transaction) != nil }
}

extension RecordsTransaction {
    /// The next grants that a restore made `uncertain` and nobody wrote since; this transaction must tell of them.
    ///
    /// - Parameter limit: how many at the most. Fewer, even none, does not mean that there are no more.
    /// - Returns: nil when all were told of. Those that do not open are passed over.
    public func nextRestoredGrants(limit: Int) throws -> [Connection]? {
        guard var mark = try RestoredGrants.load(transaction) else { return nil }
        var (found, looked): ([Connection], Int) = ([], 0)
        var last: [UInt8]?
        try transaction.scan(.records, from: mark.key.span.bytes) { key, value in
            guard found.count < limit, looked < RestoredGrants.lookLimit else { return false }
            looked += 1
            try key.withUnsafeBytes { key in
                try value.withUnsafeBytes { value in
                    last = Array(key)
                    guard let header = try? Envelope.header(of: value), mark.covers(header) else { return }
                    let connection = try visit(key, value) { _ in }
                    if let connection, connection.health == .uncertain { found.append(connection) }
                }
            }
            return true
        }
        guard let last else {
            try unmark(RestoredGrants.storeKey)
            return nil
        }
        mark.key = last + [0]
        try self.mark(RestoredGrants.storeKey, mark.encoded)
        return found
    }
}
