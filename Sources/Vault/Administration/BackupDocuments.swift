import VaultBase
import VaultCrypto
public import VaultRecords

/// What a backup is to be.
public struct BackupOrder: Codable, Sendable, Equatable {
    /// Absolute.
    public var path: String
    /// Who can open it; empty for the vault's own keys.
    public var recipients: [RecipientDocument]
    /// Whether only what changed goes into it: since `since`, or since the last backup.
    public var isIncrement = false
    public var since: Point?
    /// Whether it counts as the vault's last backup: not one that is on its way elsewhere.
    public var isKept = true

    /// Where a backup ended.
    public struct Point: Codable, Sendable, Equatable {
        public var sequence: UInt64
        public var hash: String

        public init(_ point: ChainPoint) {
            sequence = point.sequence
            hash = Hex.encode(point.hash)
        }

        /// - Throws: `bad-request`.
        func point() throws(VaultError) -> ChainPoint {
            guard let hash = Hex.decode(hash), let point = ChainPoint(sequence: sequence, hash: hash) else {
                throw VaultError(.badRequest, "that is no end of a backup")
            }
            return point
        }
    }

    public init(path: String, recipients: [RecipientDocument] = []) {
        self.path = path
        self.recipients = recipients
    }
}

/// A recipient on its way to the process that has the vault open.
public enum RecipientDocument: Codable, Sendable, Equatable {
    case vault
    case passphrase(NewKeyDocument)
    case publicKey(String)

    public init(_ recipient: BackupRecipient) {
        self =
            switch recipient {
            case .vault: .vault
            case .passphrase(let key): .passphrase(NewKeyDocument(key))
            case .publicKey(let key): .publicKey(key.text)
            }
    }

    func recipient() throws(VaultError) -> BackupRecipient {
        switch self {
        case .vault: .vault
        case .passphrase(let key): .passphrase(try key.newKey())
        case .publicKey(let text): .publicKey(try BackupPublicKey(text))
        }
    }
}

/// A backup or a drill that was.
public struct BackupMarkDocument: Codable, Sendable, Equatable {
    public var at: Moment
    public var file: String
    public var sequence: UInt64
    /// Whether it went well.
    public var good: Bool

    init(_ mark: BackupMark) {
        at = Moment(mark.at)
        file = mark.file
        sequence = mark.end.sequence
        good = mark.isGood
    }
}

/// What a drill found, to be kept in the vault.
public struct DrillDocument: Codable, Sendable, Equatable {
    /// The newest file that was tried.
    public var file: String
    public var end: BackupOrder.Point
    public var good: Bool

    public init(file: String, end: ChainPoint, good: Bool) {
        self.file = file
        self.end = BackupOrder.Point(end)
        self.good = good
    }
}

/// What became of one connection of a backup that was put back.
public struct RestoredDocument: Codable, Sendable, Equatable {
    public var user: String
    public var platform: String
    /// `restored`, `uncertain` (restored, and its refresh token may be spent), `kept` (what is there is newer).
    public var outcome: String
    public var reason: String?
}

/// What a backup holds.
public struct BackupDocument: Codable, Sendable, Equatable {
    public var file: String
    public var vault: String
    public var createdAt: String
    public var sequence: UInt64
    /// The sequence at which an increment begins; nil for a full backup.
    public var since: UInt64?
    /// How many connections the vault had then.
    public var connections: Int
    /// Values in a full backup, changes in an increment.
    public var entries: Int
    public var bytes: Int
    public var hash: String

    public init(_ manifest: Backup.Manifest, file: String) {
        self.file = file
        vault = Hex.encode(manifest.vaultID)
        createdAt = manifest.createdAt.iso8601
        sequence = manifest.sequence
        since = manifest.since?.sequence
        connections = manifest.connections
        entries = manifest.entries
        bytes = manifest.bytes
        hash = Hex.encode(manifest.hash)
    }
}
