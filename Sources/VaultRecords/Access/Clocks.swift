public import VaultBase
import VaultCrypto
import VaultStore

// What the grant clock and the validations need of records.

extension Records {
    /// The connections the grant clock should look at, earliest first; also those that have ended.
    public func clockDue(before time: Timestamp, limit: Int) throws -> [ConnectionName] {
        try read { records in
            try records.waiting(.clock, in: .records, before: time, limit: limit, ended: true)
                .compactMap { target in target.withUnsafeBytes { Key.names($0) } }
        }
    }

    /// The living connections whose access token the provider wants to be asked about, earliest first.
    public func validationsDue(before time: Timestamp, limit: Int) throws -> [ConnectionName] {
        try read { records in
            try records.waiting(.validation, in: .records, before: time, limit: limit)
                .compactMap { target in target.withUnsafeBytes { Key.names($0) } }
        }
    }
}

extension RecordsView {
    /// How many connections end from now to `time`, counted up to `limit`.
    public func endingCount(before time: Timestamp, limit: Int) throws -> Int {
        var count = 0
        try transaction.scan(.expiry, from: Key.timed(now.rawValue, nil, []).span.bytes) { key, _ in
            guard count < limit, let at = IndexEntry.time(key), at <= time.rawValue else { return false }
            if key.withUnsafeBytes({ $0[8] >= 0x20 }) { count += 1 }
            return true
        }
        return count
    }
}

extension RecordsTransaction {
    /// The connection, also when it has ended: for the grant clock, which says so, and for nobody else.
    public func connectionForClock(_ user: UserID, _ platform: PlatformName) throws -> Connection? {
        let name = ConnectionName(user: user, platform: platform)
        let key = Key.record(user, platform)
        let found = try transaction.get(key.span.bytes, in: .records) { value in
            try value.withUnsafeBytes { value in
                try key.withUnsafeBytes { key in
                    let header = try Envelope.header(of: value)
                    return try Envelope.open(value, header: header, under: key, of: .records, keys: keys) {
                        try Connection($0, name, header)
                    }
                }
            }
        }
        return found
    }
}
