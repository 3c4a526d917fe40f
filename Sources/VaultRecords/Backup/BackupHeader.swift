import VaultBase
import VaultCrypto

// The beginning of a backup:
//
//   "VBK1" · format u8=1 · kind u8 (1 full, 2 increment) · slots u16 · vault id 16 · backup id 16 ·
//   begins u64 · its hash 32 · ends u64 · its hash 32 · made at i64 ms · entries u64 · chunk u32=65536 ·
//   length u32 · slot* · checksum 16 (BLAKE2b-128 of all before it) ·
//   tag 32 = BLAKE2b-256(file key, "vault-bkhead-v1", all before it) ·
//   stream header 24
//
// The file key is random; every slot (`BackupSlot`) gives it to somebody else.

struct BackupHeader {
    static let chunkSize = 65536
    private static let magic = Array("VBK".utf8)
    /// The bytes before the slots.
    static let fixedSize = 8 + 16 + 16 + 40 + 40 + 8 + 8 + 4 + 4
    static let checksumSize = 16
    static let tagSize = 32
    static let slotLimit = 16
    /// The most bytes all slots may have.
    static let slotsLimit = 1 << 16

    var vaultID: [UInt8]
    var backupID: [UInt8]
    /// Where the backup before this one ended; nil in a full one.
    var since: ChainPoint?
    var end: ChainPoint
    var createdAt: Timestamp
    /// How many values and changes follow.
    var entries: UInt64
    var slots: [BackupSlot]

    /// All bytes before the tag.
    func encoded() -> [UInt8] {
        var out = Self.magic + [UInt8(ascii: "1"), 1, since == nil ? 1 : 2]
        out.append(u16: UInt16(slots.count))
        out += vaultID
        out += backupID
        for point in [since ?? .nothing, end] {
            out.append(u64: point.sequence)
            out += point.hash
        }
        out.append(i64: createdAt.rawValue)
        out.append(u64: entries)
        out.append(u32: UInt32(Self.chunkSize))
        let slots = slots.flatMap(\.encoded)
        out.append(u32: UInt32(slots.count))
        out += slots
        out += Self.checksum(out)
        return out
    }

    /// The length of the slots, from the fixed part.
    ///
    /// - Throws: `damaged` when this is no backup, `newer-format`.
    static func slotsLength(_ fixed: [UInt8]) throws(VaultError) -> Int {
        guard fixed.count == fixedSize, fixed.starts(with: magic), fixed[3] >= UInt8(ascii: "1"), fixed[4] >= 1,
            fixed[5] >= 1
        else {
            throw VaultError(.damaged, "this is no backup of a vault, or its beginning is damaged")
        }
        guard fixed[3] == UInt8(ascii: "1"), fixed[4] == 1, fixed[5] <= 2 else {
            throw VaultError(
                .newerFormat, "the backup is of a newer format", hint: "use the version of vault that wrote it")
        }
        let length = Int(fixed.suffix(4).reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) })
        guard length <= slotsLimit else { throw BackupError.damagedHeader }
        return length
    }

    /// Reads all bytes before the tag.
    init(parsing bytes: [UInt8]) throws(VaultError) {
        let content = Array(bytes.dropLast(Self.checksumSize))
        guard Self.checksum(content) == Array(bytes.suffix(Self.checksumSize)) else { throw BackupError.damagedHeader }
        let parsed = content.withUnsafeBytes { bytes -> BackupHeader? in
            var reader = ByteReader(bytes)
            guard let fixed = reader.array(6), fixed[5] == 1 || fixed[5] == 2, let count = reader.u16(),
                (1...Self.slotLimit).contains(Int(count)), let vaultID = reader.array(16),
                let backupID = reader.array(16), let since = ChainPoint(&reader), let end = ChainPoint(&reader),
                let createdAt = reader.i64(), let entries = reader.u64(),
                reader.u32() == UInt32(Self.chunkSize), let length = reader.u32(), length == reader.rest.count
            else { return nil }
            let isFull = fixed[5] == 1
            guard isFull == (since == .nothing) else { return nil }
            var slots: [BackupSlot] = []
            for _ in 0..<count {
                guard let slot = BackupSlot(&reader) else { return nil }
                slots.append(slot)
            }
            guard reader.isAtEnd else { return nil }
            return BackupHeader(
                vaultID: vaultID, backupID: backupID, since: isFull ? nil : since, end: end,
                createdAt: Timestamp(rawValue: createdAt), entries: entries, slots: slots)
        }
        guard let parsed else { throw BackupError.damagedHeader }
        self = parsed
    }

    init(
        vaultID: [UInt8], backupID: [UInt8], since: ChainPoint?, end: ChainPoint, createdAt: Timestamp,
        entries: UInt64, slots: [BackupSlot]
    ) {
        self.vaultID = vaultID
        self.backupID = backupID
        self.since = since
        self.end = end
        self.createdAt = createdAt
        self.entries = entries
        self.slots = slots
    }

    static func tag(_ bytes: [UInt8], _ fileKey: GuardedKey) -> [UInt8] {
        Blake2b.hash(bytes, key: fileKey, for: Purpose("vault-bkhead-v1"))
    }

    static func streamKey(_ fileKey: GuardedKey) throws(VaultError) -> GuardedKey {
        try fileKey.derive(Purpose("vault-bkdata-v1"))
    }

    private static func checksum(_ bytes: [UInt8]) -> [UInt8] {
        var out = [UInt8](repeating: 0, count: checksumSize)
        out.withUnsafeMutableBytes { out in bytes.withUnsafeBytes { Blake2b.hash($0, into: out) } }
        return out
    }
}

enum BackupError {
    static var damagedHeader: VaultError { damaged("its beginning was changed") }
    static var truncated: VaultError { damaged("it ends too early: the copy is not whole") }

    static func damaged(_ what: String) -> VaultError {
        VaultError(.damaged, "the backup is damaged: \(what)", hint: "use another copy of it, or an older backup")
    }
}
