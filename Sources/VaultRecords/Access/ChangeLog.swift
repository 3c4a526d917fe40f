import VaultCrypto
import VaultStore

// The table `changes`, written in the transaction of the change itself:
//
//   sequence u64 big-endian → table u8 · had u8 · [stamp 40 of the value before, if it had one] · key
//   0 u64                   → the sequence of the last line that was trimmed, u64
//
// A line names what changed and what stood there before, not what stands there now. So whoever has the
// vault and the lines since a moment can tell what its set hash was at that moment, and no line can be
// missing unnoticed.

/// Which connections and accounts changed, for increments and for backups in slices.
enum ChangeLog {
    /// The tables it covers. The others of a backup are short and go into every one whole.
    static let tables: Set<SealedTable> = [.records, .identities]
    /// Lines kept at least; a larger vault keeps as many as it has connections, since an increment of more
    /// would be longer than a full backup.
    static let least: UInt64 = 1 << 16
    /// Lines trimmed at once: their page is written once for all of them.
    private static let lump = 512
    private static let trimmedKey = [UInt8](repeating: 0, count: 8)

    struct Line {
        let sequence: UInt64
        let table: SealedTable
        let key: [UInt8]
        let old: Stamp?

        /// nil for what is no line.
        init?(_ name: UnsafeRawBufferPointer, _ bytes: UnsafeRawBufferPointer) {
            guard name.count == 8, bytes.count > 2, let table = SealedTable(rawValue: bytes[0]), bytes[1] <= 1 else {
                return nil
            }
            sequence = UInt64(bigEndian: name.loadUnaligned(as: UInt64.self))
            self.table = table
            let start = bytes[1] == 0 ? 2 : 2 + Stamp.size
            guard bytes.count > start, sequence > 0 else { return nil }
            old = start == 2 ? nil : Stamp(stamp: UnsafeRawBufferPointer(rebasing: bytes[2..<start]))
            key = Array(bytes[start...])
        }
    }

    static func append(
        _ table: SealedTable, _ key: UnsafeRawBufferPointer, old: Stamp?, at sequence: UInt64,
        to transaction: any StoreWriting
    ) throws {
        try withUnsafeTemporaryAllocation(byteCount: 2 + Stamp.size + key.count, alignment: 8) { scratch in
            var line = ByteWriter(scratch)
            line.u8(table.rawValue)
            line.u8(old == nil ? 0 : 1)
            old?.withBytes { line.bytes($0) }
            line.bytes(key)
            let value = UnsafeRawBufferPointer(rebasing: scratch[..<line.count])
            try withUnsafeBytes(of: sequence.bigEndian) {
                try transaction.put(value.bytes, for: $0.bytes, in: .changes)
            }
        }
    }

    /// Takes the oldest lines away when there are more than `limit`, and after `added` new ones.
    static func trim(_ transaction: any StoreWriting, to limit: UInt64, added: Int) throws {
        let more = try transaction.count(.changes) - Int(clamping: limit)
        guard more > lump else { return }
        let lines = min(more, max(lump, 2 * added))
        var old: [[UInt8]] = []
        try transaction.scan(.changes, from: RawSpan()) { name, _ in
            let name = name.withUnsafeBytes { Array($0) }
            if name != trimmedKey { old.append(name) }
            return old.count < lines
        }
        for name in old { try transaction.delete(name.span.bytes, in: .changes) }
        guard let last = old.last else { return }
        try transaction.put(last.span.bytes, for: trimmedKey.span.bytes, in: .changes)
    }

    /// The sequence up to which lines were trimmed; 0 for none.
    static func trimmed(_ transaction: any StoreReading) throws -> UInt64 {
        try transaction.get(trimmedKey.span.bytes, in: .changes) { value in
            value.withUnsafeBytes { $0.count == 8 ? UInt64(bigEndian: $0.loadUnaligned(as: UInt64.self)) : 0 }
        } ?? 0
    }

    /// Walks the lines after `sequence`, oldest first, until `body` says false.
    static func scan(
        after sequence: UInt64, _ transaction: any StoreReading, _ body: (Line) throws -> Bool
    ) throws {
        try withUnsafeBytes(of: (sequence + 1).bigEndian) { start in
            try transaction.scan(.changes, from: start.bytes) { name, value in
                try name.withUnsafeBytes { name in
                    try value.withUnsafeBytes { value in
                        guard let line = Line(name, value) else { return true }
                        return try body(line)
                    }
                }
            }
        }
    }
}
