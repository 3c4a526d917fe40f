import VaultBase
import VaultStore

/// Counts and set hashes of the sealed tables, taken by looking at every value.
struct Tally: Equatable {
    var tables = [VaultState.Contents](repeating: .init(), count: SealedTable.allCases.count)
    var terms: [UInt32: UInt64] = [:]

    mutating func add(_ stamp: Stamp, to table: SealedTable, under key: UnsafeRawBufferPointer, _ keys: VaultKeys) {
        tables[Int(table.rawValue) - 1].count += 1
        tables[Int(table.rawValue) - 1].hash += SetHash(table, key, stamp, keys)
        terms[stamp.term, default: 0] += 1
    }

    subscript(table: SealedTable) -> VaultState.Contents { tables[Int(table.rawValue) - 1] }

    init() {}

    /// Walks all sealed tables; `body` sees each key and value too.
    init(
        _ transaction: any StoreReading, _ keys: VaultKeys,
        _ body: (SealedTable, UnsafeRawBufferPointer, UnsafeRawBufferPointer) throws -> Void = { _, _, _ in }
    ) throws {
        for table in SealedTable.allCases {
            try add(table, of: transaction, keys) { key, value in
                try body(table, key, value)
                return true
            }
        }
    }

    /// Walks one table, until `body` says false.
    mutating func add(
        _ table: SealedTable, of transaction: any StoreReading, _ keys: VaultKeys,
        _ body: (UnsafeRawBufferPointer, UnsafeRawBufferPointer) throws -> Bool
    ) throws {
        try transaction.scan(table.table, from: RawSpan()) { key, value in
            try key.withUnsafeBytes { key in
                guard table.isSealed(key) else { return true }
                return try value.withUnsafeBytes { value in
                    // One too short for a stamp is counted by nobody and reported by whoever opens it.
                    if let stamp = Stamp(value) { add(stamp, to: table, under: key, keys) }
                    return try body(key, value)
                }
            }
        }
    }

    func matches(_ state: VaultState) -> Bool {
        tables == state.tables
            && terms.filter { $0.value > 0 }.sorted { $0.key < $1.key }.elementsEqual(state.terms) {
                $0.key == $1.id && $0.value == $1.count
            }
    }
}
