import VaultBase
import VaultCrypto

// The beginning of a backup:
//
//   "VBK1" · format u8=1 · kind u8=1 (full) · 0 u16 · vault id 16 · backup id 16 · sequence u64 ·
//   made at i64 ms · entries u64 · chunk u32=65536 · length u32 · wrapped keyring ·
//   checksum 16 (BLAKE2b-128 of all before it) ·
//   tag 32 = BLAKE2b-256(file key, "vault-bkhead-v1", all before it) ·
//   stream header 24
//
//   file key = BLAKE2b-256(keyring's backup key, "vault-backup-v1", backup id)

struct BackupHeader {
    static let chunkSize = 65536
    private static let magic = Array("VBK".utf8)
    /// The bytes before the wrapped keyring.
    static let fixedSize = 8 + 16 + 16 + 8 + 8 + 8 + 4 + 4
    static let checksumSize = 16
    static let tagSize = 32

    var vaultID: [UInt8]
    var backupID: [UInt8]
    var sequence: UInt64
    var createdAt: Timestamp
    /// How many values follow.
    var entries: UInt64
    /// The keyring as the store has it.
    var keyring: [UInt8]

    /// All bytes before the tag.
    func encoded() -> [UInt8] {
        var out = Self.magic + [UInt8(ascii: "1"), 1, 1, 0, 0]
        out += vaultID
        out += backupID
        out.append(u64: sequence)
        out.append(i64: createdAt.rawValue)
        out.append(u64: entries)
        out.append(u32: UInt32(Self.chunkSize))
        out.append(u32: UInt32(keyring.count))
        out += keyring
        out += Self.checksum(out)
        return out
    }

    /// The length of the keyring, from the fixed part.
    ///
    /// - Throws: `damaged` when this is no backup, `newer-format`.
    static func keyringLength(_ fixed: [UInt8]) throws(VaultError) -> Int {
        guard fixed.count == fixedSize, fixed.starts(with: magic), fixed[3] >= UInt8(ascii: "1"), fixed[4] >= 1 else {
            throw VaultError(.damaged, "this is no backup of a vault, or its beginning is damaged")
        }
        guard fixed[3] == UInt8(ascii: "1"), fixed[4] == 1, fixed[5] == 1 else {
            throw VaultError(
                .newerFormat, "the backup is of a newer format", hint: "use the version of vault that wrote it")
        }
        let length = Int(fixed.suffix(4).reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) })
        guard length <= Keyring.sizeLimit else { throw BackupError.damagedHeader }
        return length
    }

    /// Reads all bytes before the tag.
    init(parsing bytes: [UInt8]) throws(VaultError) {
        let content = Array(bytes.dropLast(Self.checksumSize))
        guard Self.checksum(content) == Array(bytes.suffix(Self.checksumSize)) else { throw BackupError.damagedHeader }
        let parsed = content.withUnsafeBytes { bytes -> BackupHeader? in
            var reader = ByteReader(bytes)
            guard let fixed = reader.array(8), fixed[6] == 0, fixed[7] == 0, let vaultID = reader.array(16),
                let backupID = reader.array(16), let sequence = reader.u64(), let createdAt = reader.i64(),
                let entries = reader.u64(), reader.u32() == UInt32(Self.chunkSize), let length = reader.u32(),
                let keyring = reader.array(Int(length)), reader.isAtEnd
            else { return nil }
            return BackupHeader(
                vaultID: vaultID, backupID: backupID, sequence: sequence,
                createdAt: Timestamp(rawValue: createdAt), entries: entries, keyring: keyring)
        }
        guard let parsed else { throw BackupError.damagedHeader }
        self = parsed
    }

    init(
        vaultID: [UInt8], backupID: [UInt8], sequence: UInt64, createdAt: Timestamp, entries: UInt64, keyring: [UInt8]
    ) {
        self.vaultID = vaultID
        self.backupID = backupID
        self.sequence = sequence
        self.createdAt = createdAt
        self.entries = entries
        self.keyring = keyring
    }

    func fileKey(_ keyring: Keyring) throws(VaultError) -> GuardedKey {
        try keyring.backupKey.derive(Purpose("vault-backup-v1"), backupID)
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
