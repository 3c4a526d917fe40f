import VaultBase
import VaultCrypto
import VaultStore

// Events, service keys and revocations: values whose index entries follow from themselves.

extension RecordsTransaction {
    /// Seals what `write` writes under `key` and moves its index entries; returns the version.
    ///
    /// - Parameter agenda: the entries of `due` that name it from now on.
    @discardableResult
    func set(
        _ table: SealedTable, _ key: [UInt8], endsAt: Timestamp?, agenda: [[UInt8]],
        _ write: (inout FieldWriter) -> Void
    ) throws -> UInt64 {
        let old = try stamp(table, key)
        return try change {
            if let old { try unindex(table, key, old) }
            let version = try replace(table, key, old: old?.stamp, endsAt: endsAt, write)
            if let endsAt { try index(.expiry, Key.timed(max(1, endsAt.rawValue), table.mark, key), version) }
            for entry in agenda { try index(.due, entry, version) }
            return version
        }
    }

    /// Removes the value under `key` and its index entries; false when there was none.
    @discardableResult
    func remove(_ table: SealedTable, _ key: [UInt8]) throws -> Bool {
        guard let old = try stamp(table, key) else { return false }
        try change {
            try unindex(table, key, old)
            try remove(table, key, old: old.stamp)
        }
        return true
    }

    private func unindex(_ table: SealedTable, _ key: [UInt8], _ old: Found) throws {
        if old.endsAt != 0 { try unindex(.expiry, Key.timed(old.endsAt, table.mark, key)) }
        let agenda = try transaction.get(key.span.bytes, in: table.table) { value in
            key.withUnsafeBytes { key in
                value.withUnsafeBytes { try? SealedValue(table, key, $0, keys) }
            }
        }
        guard let opened = agenda ?? nil else {
            // It does not open: its own word on where it is named is lost.
            if table == .events { return try unindex(.due, Agenda.delivery(of: key)) }
            return try unindex(.due, wherever: key)
        }
        for entry in opened.agenda(key) { try unindex(.due, entry) }
    }
}
