public import VaultBase
import VaultStore

extension Records {
    /// The connections whose refresh-ahead time has come, earliest first.
    ///
    /// Connections that have ended are passed over, and so are index entries older than their record.
    public func due(before time: Timestamp, limit: Int) throws -> [ConnectionName] {
        try read { records in
            try records.waiting(.refresh, in: .records, before: time, limit: limit)
                .compactMap { target in target.withUnsafeBytes { Key.names($0) } }
        }
    }

    /// Walks all living connections in key order, in short read transactions so that the store does not grow.
    ///
    /// What is written meanwhile may or may not be seen; what is there the whole time is seen once.
    ///
    /// - Parameters:
    ///   - damaged: told of each record that does not open, and the walk goes on. Without it, the first such
    ///     record is thrown.
    ///   - body: says whether to go on.
    public func forEachConnection(
        damaged: ((DamagedRecord) throws -> Void)? = nil, _ body: (Connection) throws -> Bool
    ) throws {
        var next: [UInt8] = []
        while true {
            var batch: [Connection] = []
            var bad: [DamagedRecord] = []
            var last: [UInt8]?
            try read { records in
                var count = 0
                try records.transaction.scan(.records, from: next.span.bytes) { key, value in
                    try key.withUnsafeBytes { key in
                        try value.withUnsafeBytes { value in
                            let report = damaged == nil ? nil : { (record: DamagedRecord) in bad.append(record) }
                            if let connection = try records.visit(key, value, report) { batch.append(connection) }
                        }
                        count += 1
                        if count == Self.batch { last = Array(key) }
                    }
                    return count < Self.batch
                }
            }
            // Outside the transaction, so that a slow body holds nothing.
            for record in bad { try damaged?(record) }
            for connection in batch { guard try body(connection) else { return } }
            guard let last else { return }
            next = last + [0]
        }
    }

    /// How many records one read transaction of a walk visits.
    private static let batch = 128
}
