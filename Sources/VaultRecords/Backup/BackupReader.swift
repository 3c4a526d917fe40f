import Glibc
import VaultBase
import VaultCrypto

/// Reads a backup from its first item to its last byte, believing nothing before it is authenticated.
struct BackupReader: ~Copyable {
    /// What stands in the chunks. Bytes are lent until the next item is asked for.
    enum Item {
        /// From here on values open with ``BackupReader/keys``.
        case keyring
        case value(SealedTable, key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer)
        /// `value` is nil where it was removed, `old` where there was none.
        case change(SealedTable, key: UnsafeRawBufferPointer, old: Stamp?, value: UnsafeRawBufferPointer?)
        case state(UnsafeRawBufferPointer)
    }

    /// The order of the items, which never goes back.
    private enum Part: Int { case keyring, values, changes, state }

    private let header: BackupHeader
    private let opener: ChunkOpener
    /// The chunk that is being read, and how far.
    private var chunk: Chunk?
    private var offset = 0
    /// For what begins in one chunk and ends in another.
    private let joined = Chunk()
    private var entries: UInt64 = 0
    private var last: (table: UInt8, key: [UInt8]) = (0, [])
    private var part = Part.keyring
    private var isAtEnd = false
    private var newest: VaultKeys?

    /// The last keyring as the store had it; empty before the first.
    private(set) var keyring: [UInt8] = []
    /// BLAKE2b-256 of everything before the manifest; known once that was read.
    private(set) var digest: [UInt8] = []

    init(_ header: BackupHeader, _ opener: consuming ChunkOpener) {
        self.header = header
        self.opener = opener
        last.key.reserveCapacity(RecordsView.keyLimit)
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
        switch try take(1)[0] {
        case BackupContent.manifest:
            try finish()
            isAtEnd = true
            return nil
        case BackupContent.keyring:
            guard part.rawValue <= Part.changes.rawValue else { throw malformed }
            try readKeyring()
            return .keyring
        case BackupContent.value: return try value()
        case BackupContent.change: return try change()
        case BackupContent.state:
            guard part != .state, newest != nil else { throw malformed }
            part = .state
            last.table = 0
            return .state(try counted(BackupContent.valueLimit))
        default: throw malformed
        }
    }

    private mutating func readKeyring() throws(VaultError) {
        let wrapped = Array(try counted(Keyring.sizeLimit))
        let body = try counted(Keyring.sizeLimit)
        let new = VaultKeys(try Keyring(wrapped: wrapped, body: body))
        guard new.keyring.vaultID == header.vaultID else { throw malformed }
        newest = newest.map { new.reading($0) } ?? new
        keyring = wrapped
    }

    private mutating func value() throws(VaultError) -> Item {
        let (table, keyLength, valueLength) = try head()
        // What every backup has whole follows the state, everything else comes before.
        guard newest != nil, valueLength > 0,
            part == .state
                ? BackupContent.whole.contains(table)
                : ChangeLog.tables.contains(table) && part != .changes && header.since == nil
        else { throw malformed }
        if part != .state { part = .values }
        let (key, value) = split(try take(keyLength + valueLength), at: keyLength)
        guard follows(table, key) else { throw malformed }
        last.table = table.rawValue
        last.key.removeAll(keepingCapacity: true)
        last.key.append(contentsOf: key)
        entries += 1
        return .value(table, key: key, value: value)
    }

    private mutating func change() throws(VaultError) -> Item {
        let (table, keyLength, valueLength) = try head()
        guard newest != nil, part != .state, ChangeLog.tables.contains(table) else { throw malformed }
        part = .changes
        let had = try take(1)[0]
        guard had <= 1, had == 1 || valueLength > 0 else { throw malformed }
        let old = had == 0 ? nil : Stamp(stamp: try take(Stamp.size))
        let (key, value) = split(try take(keyLength + valueLength), at: keyLength)
        entries += 1
        return .change(table, key: key, old: old, value: valueLength == 0 ? nil : value)
    }

    private mutating func head() throws(VaultError) -> (SealedTable, key: Int, value: Int) {
        let head = try take(5)
        let (key, value) = (Self.number16(head, at: 1), Self.number16(head, at: 3))
        guard let table = SealedTable(rawValue: head[0]), (1...RecordsView.keyLimit).contains(key),
            value <= BackupContent.valueLimit
        else { throw malformed }
        return (table, key, value)
    }

    /// Whether a value comes after the one before it, in the order of table and key.
    private func follows(_ table: SealedTable, _ key: UnsafeRawBufferPointer) -> Bool {
        guard table.rawValue == last.table else { return table.rawValue > last.table }
        return last.key.withUnsafeBytes { last in
            guard let one = last.baseAddress, let other = key.baseAddress else { return last.isEmpty && !key.isEmpty }
            let order = memcmp(one, other, min(last.count, key.count))
            return order < 0 || order == 0 && last.count < key.count
        }
    }

    /// Checks the manifest against what was read, and that the file ends with it.
    private mutating func finish() throws(VaultError) {
        let manifest = Array(try take(BackupContent.manifestSize))
        guard part == .state, let chunk, chunk.isLast, offset == chunk.count, try opener.next() == nil else {
            throw malformed
        }
        let whole = opener.whole
        var expected: [UInt8] = []
        expected.append(u64: entries)
        expected.append(u64: UInt64(whole.bytes))
        expected += whole.digest
        guard manifest == expected, header.entries == entries else {
            throw BackupError.damaged("its manifest names other contents")
        }
        digest = whole.digest
    }

    private var malformed: VaultError { BackupError.damaged("its contents are not in order") }

    private static func number16(_ bytes: UnsafeRawBufferPointer, at offset: Int) -> Int {
        Int(UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt16.self)))
    }

    private func split(
        _ bytes: UnsafeRawBufferPointer, at count: Int
    ) -> (UnsafeRawBufferPointer, UnsafeRawBufferPointer) {
        (UnsafeRawBufferPointer(rebasing: bytes[..<count]), UnsafeRawBufferPointer(rebasing: bytes[count...]))
    }

    private mutating func counted(_ limit: Int) throws(VaultError) -> UnsafeRawBufferPointer {
        let length = Self.number16(try take(2), at: 0)
        guard length <= limit else { throw malformed }
        return try take(length)
    }

    /// Lends the next bytes until more are taken: where they lie in one chunk, they are not copied.
    private mutating func take(_ count: Int) throws(VaultError) -> UnsafeRawBufferPointer {
        if let chunk, chunk.count - offset >= count {
            defer { offset += count }
            return UnsafeRawBufferPointer(rebasing: chunk.memory[offset..<(offset + count)])
        }
        return try join(count)
    }

    private mutating func join(_ count: Int) throws(VaultError) -> UnsafeRawBufferPointer {
        var done = 0
        while done < count {
            let chunk = try present()
            let part = min(count - done, chunk.count - offset)
            UnsafeMutableRawBufferPointer(rebasing: joined.memory[done...]).copyMemory(
                from: UnsafeRawBufferPointer(rebasing: chunk.memory[offset..<(offset + part)]))
            offset += part
            done += part
        }
        return UnsafeRawBufferPointer(rebasing: joined.memory[..<count])
    }

    /// The chunk in which there is still something to read.
    private mutating func present() throws(VaultError) -> Chunk {
        if let chunk {
            if offset < chunk.count { return chunk }
            opener.recycle(chunk)
            self.chunk = nil
        }
        guard let next = try opener.next() else { throw malformed }
        chunk = next
        offset = 0
        return next
    }
}
