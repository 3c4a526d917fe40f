import VaultBase
import VaultCrypto

/// One backup that is open: its header was read and somebody's key gave its file key.
struct BackupSource: Sendable {
    let file: FileReader
    let header: BackupHeader
    let fileKey: GuardedKey
    /// Where the tag stands, after the header.
    private let headerSize: Int
    private let bytes: [UInt8]

    /// - Throws: `wrong-key`, `damaged`, `newer-format`, `file`.
    init(_ file: FileReader, with unlock: BackupUnlock) throws(VaultError) {
        let (header, bytes) = try Self.header(file)
        let key = try BackupSlot.fileKey(header.slots, backupID: header.backupID, with: unlock)
        try self.init(file, header, bytes, key)
    }

    /// One that was just written.
    init(_ file: FileReader, fileKey: GuardedKey) throws(VaultError) {
        let (header, bytes) = try Self.header(file)
        try self.init(file, header, bytes, fileKey)
    }

    private init(
        _ file: FileReader, _ header: BackupHeader, _ bytes: [UInt8], _ fileKey: GuardedKey
    ) throws(VaultError) {
        self.file = file
        self.header = header
        self.fileKey = fileKey
        self.bytes = bytes
        headerSize = file.position
    }

    /// The header of a backup and its bytes: readable by anybody, not authenticated.
    static func header(_ file: FileReader) throws(VaultError) -> (BackupHeader, [UInt8]) {
        guard let fixed = try file.bytes(BackupHeader.fixedSize) else {
            throw VaultError(.damaged, "\(file.path) is no backup of a vault: it is too short")
        }
        let length = try BackupHeader.slotsLength(fixed)
        guard let rest = try file.bytes(length + BackupHeader.checksumSize) else { throw BackupError.truncated }
        let bytes = fixed + rest
        return (try BackupHeader(parsing: bytes), bytes)
    }

    /// A reader that stands before the first item; every byte up to there is authenticated.
    ///
    /// - Parameter proven: the digest that was found right when the same open file was read before. The seals tell
    ///   that it is the same row of chunks, so their bytes are not hashed again.
    func reader(proven: [UInt8]? = nil) throws(VaultError) -> BackupReader {
        try file.seek(to: headerSize)
        guard let tag = try file.bytes(BackupHeader.tagSize), let start = try file.bytes(SecretStream.headerSize) else {
            throw BackupError.truncated
        }
        guard Digest.equal(tag, BackupHeader.tag(bytes, fileKey)) else { throw BackupError.damagedHeader }
        let stream = SecretStream.Pull(key: try BackupHeader.streamKey(fileKey), header: start)
        return BackupReader(header, try ChunkOpener(file, stream, proven: proven))
    }
}
