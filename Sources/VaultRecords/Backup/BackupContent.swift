import VaultBase
import VaultCrypto

// What the chunks of a backup hold, one after the other, whatever the chunks' borders:
//
//   keyring   5 u8 · length u16 · the keyring as the store has it · length u16 · what is in its box, opened
//   value*    2 u8 · table u8 · key length u16 · value length u16 · key · value as the store has it
//   change*   4 u8 · table u8 · key length u16 · value length u16 (0: removed) · had u8 · [stamp 40] · key · value
//   state     1 u8 · length u16 · the state as the store has it
//   value*    of the journal, the events, the service keys and the pending revocations
//   manifest  3 u8 · entries u64 · bytes u64 · hash 32
//
// A full backup begins with nothing: its values are those of connections and accounts, in the order of table
// and key, each as it stood at some moment of the copy, and its changes make them those of one moment, the
// state's. An increment has changes only. A change carries the header and the tag of the value it replaces,
// so whoever subtracts those and adds the new ones learns what the contents were at the beginning.
//
// The keyring comes first, and again whenever it changed while the backup was made. Sessions and logins stay
// behind. The manifest's bytes and hash (BLAKE2b-256) are those of all plaintext before the manifest.

enum BackupContent {
    static let state: UInt8 = 1
    static let value: UInt8 = 2
    static let manifest: UInt8 = 3
    static let change: UInt8 = 4
    static let keyring: UInt8 = 5
    static let manifestSize = 8 * 2 + 32
    /// The manifest with what says that it is one: the end of every backup.
    static let endSize = 1 + manifestSize
    /// Short tables that every backup has whole, after the state: of several files the last one's count.
    static let whole: [SealedTable] = [.journal, .events, .services, .revocations]
    static let valueLimit = 16 << 10

    static func append(
        _ table: SealedTable, _ key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer, to out: inout [UInt8]
    ) {
        out.append(Self.value)
        head(table, key, value.count, &out)
        out.append(contentsOf: key)
        out.append(contentsOf: value)
    }

    static func append(
        _ table: SealedTable, _ key: [UInt8], from old: Stamp?, to value: [UInt8]?, to out: inout [UInt8]
    ) {
        out.append(change)
        key.withUnsafeBytes { head(table, $0, value?.count ?? 0, &out) }
        out.append(old == nil ? 0 : 1)
        old?.withBytes { out.append(contentsOf: $0) }
        out += key
        if let value { out += value }
    }

    private static func head(_ table: SealedTable, _ key: UnsafeRawBufferPointer, _ count: Int, _ out: inout [UInt8]) {
        out.append(table.rawValue)
        out.append(u16: UInt16(key.count))
        out.append(u16: UInt16(count))
    }
}
