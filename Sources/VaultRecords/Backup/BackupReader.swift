import VaultBase
import VaultCrypto

/// Reads a backup from its first byte to its last, believing nothing before it is authenticated.
struct BackupReader: ~Copyable {
    /// What stands in the chunks.
    enum Item {
        case state([UInt8])
        case entry(SealedTable, key: [UInt8], value: [UInt8])
    }

    let header: BackupHeader
    let keys: VaultKeys
    private let file: FileReader
    private var stream: SecretStream.Pull
    private var sealed = [UInt8](repeating: 0, count: BackupHeader.chunkSize + SecretStream.overhead)
    private var plain = [UInt8](repeating: 0, count: BackupHeader.chunkSize)
    private var used = 0
    private var offset = 0
    private var index: UInt64 = 0
    private var sawFinal = false
    private var hash: Blake2bStream
    private var bytes = 0
    private var last: (table: UInt8, key: [UInt8]) = (0, [])
    private var sawState = false

    /// What opens a backup's keyring.
    enum Unlock {
        case rootKey(GuardedKey)
        /// The vault's own open keyring, right after the backup was written.
        case keys(VaultKeys)
    }

    /// BLAKE2b-256 of everything before the manifest; known once that was read.
    private(set) var digest: [UInt8] = []

    /// - Throws: `wrong-key`, `damaged`, `newer-format`, `file`.
    init(_ file: FileReader, unlock: Unlock) throws(VaultError) {
        try file.rewind()
        let (header, bytes) = try Self.header(file)
        let keys: VaultKeys
        switch unlock {
        case .rootKey(let key): keys = VaultKeys(try Keyring.open(header.keyring, with: key))
        case .keys(let open): keys = open
        }
        let fileKey = try header.fileKey(keys.keyring)
        guard let tag = try file.bytes(BackupHeader.tagSize), let start = try file.bytes(SecretStream.headerSize) else {
            throw BackupError.truncated
        }
        guard Digest.equal(tag, BackupHeader.tag(bytes, fileKey)), header.vaultID == keys.keyring.vaultID else {
            throw BackupError.damagedHeader
        }
        let streamKey = try BackupHeader.streamKey(fileKey)
        self.file = file
        self.header = header
        self.keys = keys
        stream = SecretStream.Pull(key: streamKey, header: start)
        hash = Blake2bStream()
    }

    /// The header of a backup and its bytes: readable by anybody, not authenticated.
    static func header(_ file: FileReader) throws(VaultError) -> (BackupHeader, [UInt8]) {
        guard let fixed = try file.bytes(BackupHeader.fixedSize) else {
            throw VaultError(.damaged, "\(file.path) is no backup of a vault: it is too short")
        }
        let length = try BackupHeader.keyringLength(fixed)
        guard let rest = try file.bytes(length + BackupHeader.checksumSize) else { throw BackupError.truncated }
        let bytes = fixed + rest
        return (try BackupHeader(parsing: bytes), bytes)
    }

    /// The next item; nil once the manifest was read, found right, and the file ended.
    mutating func next(_ totals: BackupTotals) throws(VaultError) -> Item? {
        let kind = try take(1, hashed: false)[0]
        switch kind {
        case BackupContent.state:
            hashed([kind])
            let length = try number16()
            guard !sawState, length <= BackupContent.valueLimit else { throw malformed }
            sawState = true
            return .state(try take(length))
        case BackupContent.entry:
            hashed([kind])
            let number = try take(1)[0]
            let (keyLength, valueLength) = (try number16(), try number16())
            guard let table = SealedTable(rawValue: number), BackupContent.tables.contains(table),
                (1...RecordsView.keyLimit).contains(keyLength), valueLength <= BackupContent.valueLimit, sawState
            else { throw malformed }
            let key = try take(keyLength)
            let rises = number > last.table || number == last.table && last.key.lexicographicallyPrecedes(key)
            guard rises else { throw malformed }
            last = (number, key)
            return .entry(table, key: key, value: try take(valueLength))
        case BackupContent.manifest:
            try finish(totals)
            return nil
        default: throw malformed
        }
    }

    /// Checks the manifest against what was read, and that the file ends with it.
    private mutating func finish(_ totals: BackupTotals) throws(VaultError) {
        digest = hash.finish()
        let total = bytes
        let manifest = try take(BackupContent.manifestSize, hashed: false)
        var expected: [UInt8] = []
        for number in [totals.entries, totals.connections, totals.users, total] { expected.append(u64: UInt64(number)) }
        expected += digest
        guard manifest == expected, header.entries == UInt64(totals.entries) else {
            throw BackupError.damaged("its manifest names other contents")
        }
        guard sawState, sawFinal, offset == used else { throw malformed }
        guard try file.bytes(1) == nil else { throw BackupError.damaged("something was added after its end") }
    }

    private var malformed: VaultError { BackupError.damaged("its contents are not in order") }

    private mutating func hashed(_ part: [UInt8]) {
        part.withUnsafeBytes { hash.update($0) }
        bytes += part.count
    }

    private mutating func number16() throws(VaultError) -> Int {
        let part = try take(2)
        return Int(part[0]) | Int(part[1]) << 8
    }

    private mutating func take(_ count: Int, hashed isHashed: Bool = true) throws(VaultError) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(count)
        while out.count < count {
            if offset == used { try fill() }
            let part = min(count - out.count, used - offset)
            out += plain[offset..<(offset + part)]
            offset += part
        }
        if isHashed { hashed(out) }
        return out
    }

    /// Opens the next chunk.
    private mutating func fill() throws(VaultError) {
        guard !sawFinal else { throw malformed }
        let (file, chunk) = (file, index)
        let read = sealed.withUnsafeMutableBytes { buffer in
            Result { () throws(VaultError) in try file.read(into: buffer) }
        }
        let count = try read.get()
        guard count > SecretStream.overhead else { throw BackupError.truncated }
        let length = count - SecretStream.overhead
        let isFinal = plain.withUnsafeMutableBytes { plain in
            sealed.withUnsafeBytes { sealed in
                stream.pull(
                    UnsafeRawBufferPointer(rebasing: sealed[..<count]), index: chunk,
                    into: UnsafeMutableRawBufferPointer(rebasing: plain[..<length]))
            }
        }
        guard let isFinal else {
            // A cut leaves a short chunk, which does not open either.
            throw count < sealed.count
                ? BackupError.damaged("it was cut or changed near its end")
                : BackupError.damaged("chunk \(chunk) was changed")
        }
        // Every chunk but the last is whole.
        guard isFinal || count == sealed.count else { throw BackupError.truncated }
        sawFinal = isFinal
        used = length
        offset = 0
        index += 1
    }
}

/// What a reader has counted so far.
struct BackupTotals {
    var entries = 0
    var connections = 0
    private var userCount = UserCount()
    var users: Int { userCount.users }

    mutating func add(_ table: SealedTable, _ key: UnsafeRawBufferPointer) {
        entries += 1
        guard table == .records else { return }
        connections += 1
        userCount.add(key)
    }
}
