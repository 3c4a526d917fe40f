import VaultBase
import VaultCrypto
import VaultStore

/// How far a rotation has come: everything before `key` of `table` was sealed again.
///
/// In the table `state` under "rotation", written with the values it speaks of: format u8=1 · table u8 ·
/// term u32 · key. It only saves work: what a term still seals is counted in the state.
struct RotationMark: Equatable {
    var term: UInt32
    var table: SealedTable
    var key: [UInt8]

    static let storeKey = Array("rotation".utf8)

    var encoded: [UInt8] {
        var bytes: [UInt8] = [1, table.rawValue]
        bytes.append(u32: term)
        return bytes + key
    }

    init(term: UInt32, table: SealedTable = .records, key: [UInt8] = []) {
        self.term = term
        self.table = table
        self.key = key
    }

    /// The one of the rotation to `term` in the store, else its beginning.
    static func load(_ transaction: any StoreReading, term: UInt32) throws -> RotationMark {
        let bytes = try Records.bytes(storeKey, in: .state, transaction) ?? []
        return bytes.withUnsafeBytes { bytes in
            var reader = ByteReader(bytes)
            guard reader.u8() == 1, let table = reader.u8().flatMap(SealedTable.init), reader.u32() == term else {
                return RotationMark(term: term)
            }
            return RotationMark(term: term, table: table, key: Array(reader.rest))
        }
    }
}

/// What one step of sealing again did.
struct ResealStep: Sendable {
    var looked = 0
    var resealed = 0
    var isAtEnd = false
}

extension Records {
    /// Seals the next values again with the active term, and notes how far that came, in one transaction.
    ///
    /// A value keeps its version and its end, so a writer who expects the version still finds it, and the
    /// indexes still name it. One that does not open is left as it is.
    func resealNext(limit: Int = 128) async throws -> ResealStep {
        try await write(for: .saving) { try $0.resealNext(limit) }
    }
}

extension RecordsTransaction {
    /// How many values one step looks at, when most are sealed by the active term already.
    private static let lookLimit = 4096

    fileprivate func resealNext(_ limit: Int) throws -> ResealStep {
        var step = ResealStep()
        var mark = try RotationMark.load(transaction, term: keys.active)
        var old: [[UInt8]] = []
        let (table, active) = (mark.table, keys.active)
        var last: [UInt8]?
        try transaction.scan(table.table, from: mark.key.span.bytes) { key, value in
            guard old.count < limit, step.looked < Self.lookLimit else { return false }
            key.withUnsafeBytes { key in
                value.withUnsafeBytes { value in
                    last = Array(key)
                    step.looked += 1
                    if table.isSealed(key), let stamp = Stamp(value), stamp.term != active { old.append(Array(key)) }
                }
            }
            return true
        }
        for key in old where try reseal(table, key) { step.resealed += 1 }
        if old.count < limit, step.looked < Self.lookLimit {
            guard let next = SealedTable(rawValue: table.rawValue + 1) else {
                step.isAtEnd = true
                try unmark(RotationMark.storeKey)
                return step
            }
            mark.table = next
            mark.key = []
        } else if let last {
            mark.key = last + [0]
        }
        try self.mark(mark)
        return step
    }

    /// Seals the value under `key` with the active term; false when it does not open.
    private func reseal(_ table: SealedTable, _ key: [UInt8]) throws -> Bool {
        try withUnsafeTemporaryAllocation(byteCount: 2 << 14, alignment: 8) { scratch in
            let payload = UnsafeMutableRawBufferPointer(rebasing: scratch[..<(1 << 14)])
            var used = 0
            defer { wipe(UnsafeMutableRawBufferPointer(rebasing: payload[..<used])) }
            let opened = try transaction.get(key.span.bytes, in: table.table) { value -> (Header, Stamp)? in
                try value.withUnsafeBytes { value in
                    guard let stamp = Stamp(value), let header = try? Envelope.header(of: value) else { return nil }
                    do {
                        try key.withUnsafeBytes { key in
                            try Envelope.open(value, header: header, under: key, of: table, keys: keys) { plain in
                                payload.copyMemory(from: plain)
                                used = plain.count
                            }
                        }
                    } catch is VaultError { return nil }
                    return (header, stamp)
                }
            }
            guard let (header, stamp) = opened ?? nil, let total = Padding.total(used, for: table) else {
                return false
            }
            let value = UnsafeMutableRawBufferPointer(rebasing: scratch[(1 << 14)...][..<((1 << 14) + total)])
            let renewed = Header(term: keys.active, version: header.version, endsAt: header.endsAt)
            try change {
                key.withUnsafeBytes {
                    Envelope.seal(payload, count: used, header: renewed, under: $0, of: table, keys: keys, into: value)
                }
                try exchange(table, key, old: stamp, UnsafeRawBufferPointer(value))
            }
            return true
        }
    }
}
