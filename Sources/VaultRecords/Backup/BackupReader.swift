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
    func reader() throws(VaultError) -> BackupReader {
        try file.seek(to: headerSize)
        guard let tag = try file.bytes(BackupHeader.tagSize), let start = try file.bytes(SecretStream.headerSize) else {
            throw BackupError.truncated
        }
        guard Digest.equal(tag, BackupHeader.tag(bytes, fileKey)) else { throw BackupError.damagedHeader }
        return BackupReader(self, SecretStream.Pull(key: try BackupHeader.streamKey(fileKey), header: start))
    }
}

/// Reads a backup from its first item to its last byte, believing nothing before it is authenticated.
struct BackupReader: ~Copyable {
    /// What stands in the chunks.
    enum Item {
        /// From here on values open with ``BackupReader/keys``.
        case keyring
        case value(SealedTable, key: [UInt8], value: [UInt8])
        /// `value` is nil where it was removed, `old` where there was none.
        case change(SealedTable, key: [UInt8], old: Stamp?, value: [UInt8]?)
        case state([UInt8])
    }

    /// The order of the items, which never goes back.
    private enum Part: Int { case keyring, values, changes, state }

    private let source: BackupSource
    private var stream: SecretStream.Pull
    private var sealed = [UInt8](repeating: 0, count: BackupHeader.chunkSize + SecretStream.overhead)
    private var plain = WipedBytes(count: BackupHeader.chunkSize)
    private var used = 0
    private var offset = 0
    private var index: UInt64 = 0
    private var sawFinal = false
    private var hash = Blake2bStream()
    private var bytes = 0
    private var entries: UInt64 = 0
    private var last: (table: UInt8, key: [UInt8]) = (0, [])
    private var part = Part.keyring
    private var isAtEnd = false
    private var newest: VaultKeys?

    /// The last keyring as the store had it; empty before the first.
    private(set) var keyring: [UInt8] = []
    /// BLAKE2b-256 of everything before the manifest; known once that was read.
    private(set) var digest: [UInt8] = []

    fileprivate init(_ source: BackupSource, _ stream: consuming SecretStream.Pull) {
        self.source = source
        self.stream = stream
    }

    /// What opens the values read so far.
    var keys: VaultKeys {
        get throws(VaultError) {
            guard let newest else { throw malformed }
            return newest
        }
    }

    /// The next item; nil once the manifest was read, found right, and the file ended.
    mutating func next() throws(VaultError) -> Item? {
        if isAtEnd { return nil }
        let kind = try take(1, hashed: false)[0]
        guard kind != BackupContent.manifest else {
            try finish()
            isAtEnd = true
            return nil
        }
        hashed([kind])
        switch kind {
        case BackupContent.keyring:
            guard part.rawValue <= Part.changes.rawValue else { throw malformed }
            try readKeyring()
            return .keyring
        case BackupContent.value: return try value()
        case BackupContent.change: return try change()
        case BackupContent.state:
            guard part != .state, newest != nil else { throw malformed }
            part = .state
            last = (0, [])
            return .state(try counted(BackupContent.valueLimit))
        default: throw malformed
        }
    }

    private mutating func readKeyring() throws(VaultError) {
        let wrapped = try counted(Keyring.sizeLimit)
        let count = try number16()
        guard count <= Keyring.sizeLimit else { throw malformed }
        var body = WipedBytes(count: count)
        let filled = body.withMutableBytes { body in Result { () throws(VaultError) in try fill(body) } }
        try filled.get()
        let opened = body.withBytes { body in
            Result { () throws(VaultError) in try Keyring(wrapped: wrapped, body: body) }
        }
        let new = VaultKeys(try opened.get())
        guard new.keyring.vaultID == source.header.vaultID else { throw malformed }
        newest = newest.map { new.reading($0) } ?? new
        keyring = wrapped
    }

    private mutating func value() throws(VaultError) -> Item {
        let (table, keyLength, valueLength) = try head()
        // What every backup has whole follows the state, everything else comes before.
        guard newest != nil, valueLength > 0,
            part == .state
                ? BackupContent.whole.contains(table)
                : ChangeLog.tables.contains(table) && part != .changes && source.header.since == nil
        else { throw malformed }
        if part != .state { part = .values }
        let key = try take(keyLength)
        guard table.rawValue > last.table || table.rawValue == last.table && last.key.lexicographicallyPrecedes(key)
        else { throw malformed }
        last = (table.rawValue, key)
        entries += 1
        return .value(table, key: key, value: try take(valueLength))
    }

    private mutating func change() throws(VaultError) -> Item {
        let (table, keyLength, valueLength) = try head()
        guard newest != nil, part != .state, ChangeLog.tables.contains(table) else { throw malformed }
        part = .changes
        let had = try take(1)[0]
        guard had <= 1, had == 1 || valueLength > 0 else { throw malformed }
        let old = had == 0 ? nil : try take(Stamp.size).withUnsafeBytes { Stamp(stamp: $0) }
        let key = try take(keyLength)
        entries += 1
        return .change(table, key: key, old: old, value: valueLength == 0 ? nil : try take(valueLength))
    }

    private mutating func head() throws(VaultError) -> (SealedTable, key: Int, value: Int) {
        let number = try take(1)[0]
        let (key, value) = (try number16(), try number16())
        guard let table = SealedTable(rawValue: number), (1...RecordsView.keyLimit).contains(key),
            value <= BackupContent.valueLimit
        else { throw malformed }
        return (table, key, value)
    }

    /// Checks the manifest against what was read, and that the file ends with it.
    private mutating func finish() throws(VaultError) {
        digest = hash.finish()
        let total = bytes
        let manifest = try take(BackupContent.manifestSize, hashed: false)
        var expected: [UInt8] = []
        expected.append(u64: entries)
        expected.append(u64: UInt64(total))
        expected += digest
        guard manifest == expected, source.header.entries == entries else {
            throw BackupError.damaged("its manifest names other contents")
        }
        guard part == .state, sawFinal, offset == used else { throw malformed }
        guard try source.file.bytes(1) == nil else { throw BackupError.damaged("something was added after its end") }
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

    private mutating func counted(_ limit: Int) throws(VaultError) -> [UInt8] {
        let length = try number16()
        guard length <= limit else { throw malformed }
        return try take(length)
    }

    private mutating func take(_ count: Int, hashed isHashed: Bool = true) throws(VaultError) -> [UInt8] {
        var out = [UInt8](repeating: 0, count: count)
        try out.withUnsafeMutableBytes { out in
            Result { () throws(VaultError) in try fill(out, hashed: isHashed) }
        }.get()
        return out
    }

    /// Takes as many bytes as `out` has room for.
    private mutating func fill(_ out: UnsafeMutableRawBufferPointer, hashed: Bool = true) throws(VaultError) {
        var done = 0
        while done < out.count {
            if offset == used { try open() }
            let (from, count) = (offset, min(out.count - done, used - offset))
            plain.withBytes {
                UnsafeMutableRawBufferPointer(rebasing: out[done...]).copyMemory(
                    from: UnsafeRawBufferPointer(rebasing: $0[from..<(from + count)]))
            }
            offset += count
            done += count
        }
        guard hashed else { return }
        hash.update(UnsafeRawBufferPointer(out))
        bytes += out.count
    }

    /// Opens the next chunk.
    private mutating func open() throws(VaultError) {
        guard !sawFinal else { throw malformed }
        let (file, chunk) = (source.file, index)
        let read = sealed.withUnsafeMutableBytes { buffer in
            Result { () throws(VaultError) in try file.read(into: buffer) }
        }
        let count = try read.get()
        guard count > SecretStream.overhead else { throw BackupError.truncated }
        let length = count - SecretStream.overhead
        let isFinal = plain.withMutableBytes { plain in
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
