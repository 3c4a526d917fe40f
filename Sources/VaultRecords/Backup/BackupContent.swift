import VaultBase
import VaultCrypto

// What the chunks of a backup hold, one after the other, whatever the chunks' borders:
//
//   state     1 u8 · length u16 · the state as the store has it
//   entry*    2 u8 · table u8 · key length u16 · value length u16 · key · value as the store has it
//   manifest  3 u8 · entries u64 · connections u64 · users u64 · bytes u64 · hash 32
//
// Entries come in the order of table and key: records, identities, journal. Sessions and logins stay
// behind. The manifest's bytes and hash (BLAKE2b-256) are those of all plaintext before the manifest.

enum BackupContent {
    static let state: UInt8 = 1
    static let entry: UInt8 = 2
    static let manifest: UInt8 = 3
    static let manifestSize = 8 * 4 + 32
    static let tables: [SealedTable] = [.records, .identities, .journal]
    static let valueLimit = 16 << 10
}

/// Counts users in a row of record keys: they come sorted, so each user's stand together.
struct UserCount {
    private(set) var users = 0
    private var last: [UInt8] = []

    mutating func add(_ key: UnsafeRawBufferPointer) {
        let name = key[..<(key.firstIndex(of: 0) ?? key.endIndex)]
        guard users == 0 || !name.elementsEqual(last) else { return }
        users += 1
        last = Array(name)
    }
}
