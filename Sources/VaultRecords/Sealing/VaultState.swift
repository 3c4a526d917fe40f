import VaultBase
import VaultCrypto
import VaultStore

// The one record of the state table, under the key "state", rewritten by every write:
//
//   format u8=1 · 0 u8 · tables u16 (5 to 8) · vault id 16 · sequence u64 · clock i64 ms · made at i64 ms ·
//   keyring generation u32 · epoch u32
//   table*  entries u64 · set hash 32        (records, identities, sessions, logins, journal, events,
//                                    services, revocations: up to the last that holds anything, five at least)
//   terms u16 · term* id u32 · values u64
//   tag 32 = BLAKE2b-256(state key, "vault-state-v1", all before it)

struct VaultState: Equatable {
    struct Contents: Equatable {
        var count: UInt64 = 0
        var hash = SetHash()
    }

    var vaultID: [UInt8]
    /// Grows by one with every value written or removed; a value's version is the sequence it was written at.
    var sequence: UInt64 = 0
    /// The latest moment at which anything was written: the vault's clock never reads less.
    var clock: Timestamp
    var createdAt: Timestamp
    var keyringGeneration: UInt32
    /// How often the vault was restored from a backup.
    var epoch: UInt32 = 0
    /// One for each ``SealedTable``.
    var tables = [Contents](repeating: Contents(), count: SealedTable.allCases.count)
    /// How many values each term seals.
    var terms: [(id: UInt32, count: UInt64)] = []

    static let key = Array("state".utf8)
    private static let tagSize = 32
    private static let purpose = Purpose("vault-state-v1")

    static func == (a: Self, b: Self) -> Bool {
        a.vaultID == b.vaultID && a.sequence == b.sequence && a.clock == b.clock && a.createdAt == b.createdAt
            && a.keyringGeneration == b.keyringGeneration && a.epoch == b.epoch && a.tables == b.tables
            && a.terms.count == b.terms.count && zip(a.terms, b.terms).allSatisfy { $0 == $1 }
    }

    init(vaultID: [UInt8], at time: Timestamp, keyringGeneration: UInt32) {
        self.vaultID = vaultID
        clock = time
        createdAt = time
        self.keyringGeneration = keyringGeneration
    }

    subscript(table: SealedTable) -> Contents {
        get { tables[Int(table.rawValue) - 1] }
        set { tables[Int(table.rawValue) - 1] = newValue }
    }

    mutating func add(_ stamp: Stamp, to table: SealedTable, under key: UnsafeRawBufferPointer, _ keys: VaultKeys) {
        self[table].count &+= 1
        self[table].hash += SetHash(table, key, stamp, keys)
        let index = terms.firstIndex { $0.id >= stamp.term } ?? terms.count
        if index == terms.count || terms[index].id != stamp.term { terms.insert((stamp.term, 0), at: index) }
        terms[index].count &+= 1
    }

    mutating func remove(
        _ stamp: Stamp, from table: SealedTable, under key: UnsafeRawBufferPointer, _ keys: VaultKeys
    ) {
        // What is damaged may name what was never counted: a count of nothing stays one.
        if self[table].count > 0 { self[table].count -= 1 }
        self[table].hash -= SetHash(table, key, stamp, keys)
        guard let index = terms.firstIndex(where: { $0.id == stamp.term }) else { return }
        terms[index].count -= 1
        if terms[index].count == 0 { terms.remove(at: index) }
    }

    func encoded(_ keys: VaultKeys) -> [UInt8] {
        let used = tables.lastIndex { $0 != Contents() } ?? 0
        let tables = tables[...max(used, SealedTable.least - 1)]
        let count = 52 + tables.count * 40 + 2 + terms.count * 12
        return [UInt8](unsafeUninitializedCapacity: count + Self.tagSize) { buffer, initialized in
            let buffer = UnsafeMutableRawBufferPointer(buffer)
            let content = UnsafeMutableRawBufferPointer(rebasing: buffer[..<count])
            write(tables, to: content)
            Blake2b.hash(
                UnsafeRawBufferPointer(content), key: keys.keyring.stateKey.address, for: Self.purpose,
                into: UnsafeMutableRawBufferPointer(rebasing: buffer[count..<(count + Self.tagSize)]))
            initialized = count + Self.tagSize
        }
    }

    private func write(_ tables: ArraySlice<Contents>, to buffer: UnsafeMutableRawBufferPointer) {
        var out = ByteWriter(buffer)
        out.u8(1)
        out.u8(0)
        out.u16(UInt16(tables.count))
        vaultID.withUnsafeBytes { out.bytes($0) }
        out.u64(sequence)
        out.i64(clock.rawValue)
        out.i64(createdAt.rawValue)
        out.u32(keyringGeneration)
        out.u32(epoch)
        for table in tables {
            out.u64(table.count)
            out.u64(table.hash.words.0)
            out.u64(table.hash.words.1)
            out.u64(table.hash.words.2)
            out.u64(table.hash.words.3)
        }
        out.u16(UInt16(terms.count))
        for term in terms {
            out.u32(term.id)
            out.u64(term.count)
        }
        precondition(out.count == buffer.count && !out.overflowed, "the state is as long as it was counted")
    }

    /// - Throws: `damaged` when the tag is not ours, `newer-format`.
    init(_ bytes: UnsafeRawBufferPointer, _ keys: VaultKeys) throws(VaultError) {
        guard bytes.count > Self.tagSize, bytes[0] >= 1 else { throw Self.damaged }
        guard bytes[0] == 1 else {
            throw VaultError(
                .newerFormat, "the vault's state is of format \(bytes[0]), this program reads 1",
                hint: "use the version of vault that wrote it")
        }
        let content = UnsafeRawBufferPointer(rebasing: bytes.dropLast(Self.tagSize))
        var tag: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
        let isOurs = withUnsafeMutableBytes(of: &tag) { tag in
            Blake2b.hash(content, key: keys.keyring.stateKey.address, for: Self.purpose, into: tag)
            return tag.elementsEqual(bytes.suffix(Self.tagSize))
        }
        guard isOurs else { throw Self.damaged }
        var reader = ByteReader(content)
        guard reader.u8() == 1, reader.u8() == 0, let tableCount = reader.u16(), tableCount >= SealedTable.least
        else { throw Self.damaged }
        guard tableCount <= SealedTable.allCases.count else {
            throw VaultError(
                .newerFormat,
                "the vault's state has \(tableCount) tables, this program knows "
                    + "\(SealedTable.allCases.count)", hint: "use the version of vault that wrote it")
        }
        guard let vaultID = reader.array(16), let sequence = reader.u64(), let clock = reader.i64(),
            let createdAt = reader.i64(), let generation = reader.u32(), let epoch = reader.u32()
        else { throw Self.damaged }
        self.init(vaultID: vaultID, at: Timestamp(rawValue: createdAt), keyringGeneration: generation)
        self.sequence = sequence
        self.clock = Timestamp(rawValue: clock)
        self.epoch = epoch
        for index in 0..<Int(tableCount) {
            guard let count = reader.u64(), let a = reader.u64(), let b = reader.u64(), let c = reader.u64(),
                let d = reader.u64()
            else { throw Self.damaged }
            tables[index].count = count
            tables[index].hash.words = (a, b, c, d)
        }
        guard let termCount = reader.u16() else { throw Self.damaged }
        terms.reserveCapacity(Int(termCount))
        for _ in 0..<termCount {
            guard let id = reader.u32(), let count = reader.u64() else { throw Self.damaged }
            terms.append((id, count))
        }
        guard reader.isAtEnd else { throw Self.damaged }
    }

    static var damaged: VaultError {
        VaultError(
            .damaged, "the vault's state record is damaged or of another vault",
            hint: "restore the vault from a backup: vault restore")
    }

    /// The state in `transaction`.
    static func load(_ transaction: any StoreReading, _ keys: VaultKeys) throws -> VaultState {
        let state = try transaction.get(key.span.bytes, in: .state) { value in
            try value.withUnsafeBytes { try VaultState($0, keys) }
        }
        guard let state else { throw damaged }
        guard state.vaultID == keys.keyring.vaultID else { throw damaged }
        return state
    }
}
