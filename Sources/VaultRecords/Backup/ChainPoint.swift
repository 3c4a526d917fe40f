import VaultBase
import VaultCrypto

/// A moment of a vault, by which backups are chained: its sequence and a keyed hash of its connections and
/// accounts. An increment begins at one and ends at another.
public struct ChainPoint: Sendable, Equatable {
    public var sequence: UInt64
    /// BLAKE2b-256(state key, "vault-chain-v1", sequence u64 ‖ counts and set hashes of records and identities).
    public var hash: [UInt8]

    /// What a full backup begins at; also where one ends of which nothing can be read.
    public static let nothing = ChainPoint(0, [UInt8](repeating: 0, count: 32))

    /// nil unless the hash has 32 bytes.
    public init?(sequence: UInt64, hash: [UInt8]) {
        guard hash.count == 32 else { return nil }
        self.init(sequence, hash)
    }

    private init(_ sequence: UInt64, _ hash: [UInt8]) {
        self.sequence = sequence
        self.hash = hash
    }

    init(_ sequence: UInt64, _ contents: ChainContents, _ keys: VaultKeys) {
        var message: [UInt8] = []
        message.append(u64: sequence)
        for table in [contents.records, contents.identities] {
            message.append(u64: table.count)
            for word in [table.hash.words.0, table.hash.words.1, table.hash.words.2, table.hash.words.3] {
                message.append(u64: word)
            }
        }
        self.init(sequence, Blake2b.hash(message, key: keys.keyring.stateKey, for: Purpose("vault-chain-v1")))
    }

    init(_ state: VaultState, _ keys: VaultKeys) { self.init(state.sequence, ChainContents(state), keys) }

    init?(_ reader: inout ByteReader) {
        guard let sequence = reader.u64(), let hash = reader.array(32) else { return nil }
        self.init(sequence, hash)
    }

    /// `SEQUENCE:` and the first 16 digits of the hash, for people.
    public var words: String { "\(sequence):\(Hex.encode(hash.prefix(8)))" }
}

/// Counts and set hashes of connections and accounts, or the difference between two moments' (all numbers
/// wrap around, so a difference can be below nothing).
struct ChainContents: Equatable {
    var records = VaultState.Contents()
    var identities = VaultState.Contents()

    init() {}

    init(_ state: VaultState) {
        records = state[.records]
        identities = state[.identities]
    }

    mutating func add(_ stamp: Stamp, to table: SealedTable, under key: UnsafeRawBufferPointer, _ keys: VaultKeys) {
        change(table) {
            $0.count &+= 1; $0.hash += SetHash(table, key, stamp, keys)
        }
    }

    mutating func remove(
        _ stamp: Stamp, from table: SealedTable, under key: UnsafeRawBufferPointer, _ keys: VaultKeys
    ) {
        change(table) {
            $0.count &-= 1; $0.hash -= SetHash(table, key, stamp, keys)
        }
    }

    private mutating func change(_ table: SealedTable, _ body: (inout VaultState.Contents) -> Void) {
        if table == .records { body(&records) } else if table == .identities { body(&identities) }
    }

    static func - (end: Self, change: Self) -> Self {
        var begin = end
        begin.records.count &-= change.records.count
        begin.records.hash -= change.records.hash
        begin.identities.count &-= change.identities.count
        begin.identities.hash -= change.identities.hash
        return begin
    }
}
