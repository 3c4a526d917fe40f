import CLMDB
import VaultBase

/// A read transaction of LMDB, lent to a closure.
class LMDBReading: StoreReading {
    fileprivate let environment: Environment
    private var raw: OpaquePointer?

    init(_ raw: OpaquePointer, in environment: Environment) {
        self.raw = raw
        self.environment = environment
    }

    /// Lends it again, after ``end()``.
    final func begin(_ raw: OpaquePointer) { self.raw = raw }

    /// From here on every call throws.
    final func end() { raw = nil }

    fileprivate final func live() throws(VaultError) -> OpaquePointer {
        guard let raw else { throw Limits.ended }
        return raw
    }

    /// Every status that no caller caused passes through here.
    fileprivate func failed(_ status: Int32, _ deed: String) -> VaultError { Fault.error(status, deed) }

    final func lend(_ key: RawSpan, in table: Table, to body: (RawSpan) throws -> Void) throws -> Bool {
        let raw = try live()
        return try key.withUnsafeBytes { bytes in
            guard (1...Limits.key).contains(bytes.count) else { return false }
            var key = MDB_val(bytes)
            var value = MDB_val()
            let status = mdb_get(raw, environment.handle(table), &key, &value)
            if status == MDB_NOTFOUND { return false }
            guard status == MDB_SUCCESS else { throw failed(status, "read \(table.rawValue)") }
            let lent = value.bytes
            try body(lent.bytes)
            return true
        }
    }

    func scan(_ table: Table, from key: RawSpan, _ body: (_ key: RawSpan, _ value: RawSpan) throws -> Bool) throws {
        var cursor: OpaquePointer?
        var status = mdb_cursor_open(try live(), environment.handle(table), &cursor)
        guard status == MDB_SUCCESS else { throw failed(status, "read \(table.rawValue)") }
        defer { mdb_cursor_close(cursor) }

        var value = MDB_val()
        try key.withUnsafeBytes { bytes in
            var key = MDB_val(bytes)
            status = mdb_cursor_get(cursor, &key, &value, bytes.isEmpty ? MDB_FIRST : MDB_SET_RANGE)
            while status == MDB_SUCCESS {
                let name = key.bytes
                let lent = value.bytes
                guard try body(name.bytes, lent.bytes) else { return }
                status = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)
            }
            guard status == MDB_NOTFOUND else { throw failed(status, "read \(table.rawValue)") }
        }
    }

    final func count(_ table: Table) throws -> Int {
        var found = MDB_stat()
        let status = mdb_stat(try live(), environment.handle(table), &found)
        guard status == MDB_SUCCESS else { throw failed(status, "count \(table.rawValue)") }
        return found.ms_entries
    }
}

/// A write transaction of LMDB, lent to one operation after another on the writer's thread.
final class LMDBWriting: LMDBReading, StoreWriting {
    /// How many times it was written to.
    private(set) var writes = 0
    /// Bytes of the keys and values that were put.
    private(set) var bytes = 0
    /// Set by the first failure inside LMDB; the transaction can then only be aborted.
    private(set) var broken: (status: Int32, error: VaultError)?
    var room = StoreRoom.growing
    private var walked: [Table] = []
    private lazy var filePages = environment.filePages

    override fileprivate func failed(_ status: Int32, _ deed: String) -> VaultError {
        let error = Fault.error(status, deed)
        if broken == nil { broken = (status, error) }
        return error
    }

    override func scan(
        _ table: Table, from key: RawSpan, _ body: (_ key: RawSpan, _ value: RawSpan) throws -> Bool
    ) throws {
        walked.append(table)
        defer { walked.removeLast() }
        try super.scan(table, from: key, body)
    }

    func put(_ value: RawSpan, for key: RawSpan, in table: Table) throws {
        try set(value, for: key, in: table, 0)
    }

    func append(_ value: RawSpan, for key: RawSpan, in table: Table) throws {
        try set(value, for: key, in: table, UInt32(MDB_APPEND))
    }

    private func set(_ value: RawSpan, for key: RawSpan, in table: Table, _ flags: UInt32) throws {
        let raw = try live()
        try Limits.check(key: key.byteCount, value: value.byteCount, in: table)
        guard !walked.contains(table) else { throw Limits.walked(table) }
        try checkRoom(for: value.byteCount, under: key, in: table, raw)
        bytes += key.byteCount + value.byteCount
        writes += 1
        let status = key.withUnsafeBytes { keyBytes in
            value.withUnsafeBytes { valueBytes in
                var key = MDB_val(keyBytes)
                var value = MDB_val(valueBytes)
                let status = mdb_put(raw, environment.handle(table), &key, &value, flags)
                // A key that was to be appended and is not the last goes to its place.
                guard status == MDB_KEYEXIST else { return status }
                return mdb_put(raw, environment.handle(table), &key, &value, 0)
            }
        }
        guard status == MDB_SUCCESS else { throw failed(status, "write to \(table.rawValue)") }
    }

    @discardableResult
    func delete(_ key: RawSpan, in table: Table) throws -> Bool {
        let raw = try live()
        guard !walked.contains(table) else { throw Limits.walked(table) }
        guard (1...Limits.key).contains(key.byteCount) else { return false }
        let status = key.withUnsafeBytes { bytes in
            var key = MDB_val(bytes)
            return mdb_del(raw, environment.handle(table), &key, nil)
        }
        if status == MDB_NOTFOUND { return false }
        writes += 1
        guard status == MDB_SUCCESS else { throw failed(status, "delete from \(table.rawValue)") }
        return true
    }

    private func checkRoom(
        for count: Int, under key: RawSpan, in table: Table, _ raw: OpaquePointer
    ) throws {
        guard let limit = Limits.room(room, of: environment.quota) else { return }
        let most = key.byteCount + count
        // The file's length is a bound that costs nothing; counting the pages in use is for the last stretch.
        let bound = filePages * environment.pageBytes + 4 * (bytes + most) + 64 * environment.pageBytes
        guard bound > limit else { return }
        var more = most
        _ = try lend(key, in: table) { more = count - $0.byteCount }
        guard more > 0, environment.usedBytes(in: raw) + more > limit else { return }
        throw Limits.quotaReached(room, environment.quota)
    }
}

extension MDB_val {
    /// Points at bytes that LMDB only reads.
    fileprivate init(_ bytes: UnsafeRawBufferPointer) {
        self.init(mv_size: bytes.count, mv_data: UnsafeMutableRawPointer(mutating: bytes.baseAddress))
    }

    fileprivate var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: mv_data, count: mv_size) }
}
