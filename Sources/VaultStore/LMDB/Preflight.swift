import CLMDB
import Glibc
import VaultBase

/// Looks at a data file before LMDB maps it.
///
/// LMDB has no checksums: it takes an empty file for a new store, and a file that was cut short opens well
/// and kills the process at the first read of what is missing.
struct Preflight {
    /// How long the newest meta page says that the file is.
    private(set) var expectedBytes = 0
    /// How long it is.
    private(set) var bytes = 0
    private(set) var pageBytes = 0

    var isShort: Bool { bytes < expectedBytes }

    /// - Throws: `damaged` for a file that cannot be a store, `newer-format`.
    init(_ path: String) throws(VaultError) {
        let descriptor = try Files.open(path, O_RDONLY)
        defer { Glibc.close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw Fault.error(errno, "look at \(path)") }
        bytes = Int(status.st_size)

        var newest: UInt64 = 0
        var transactions: [UInt64] = []
        var offset = 0
        for _ in 0..<2 {
            let page = try Self.meta(descriptor, at: offset, path)
            if offset > 0, page.size != pageBytes { throw Self.damaged(path) }
            pageBytes = page.size
            offset += page.size
            transactions.append(page.transaction)
            if page.transaction >= newest {
                newest = page.transaction
                expectedBytes = (page.last + 1) * page.size
            }
        }
        guard Self.follow(transactions[0], transactions[1]) else {
            throw VaultError(
                .damaged, "one of the first two pages of \(path) is damaged: the last writes would be missing",
                hint: "keep the file as it is and restore a backup into a new directory")
        }
    }

    /// Whether two transactions in a row wrote the two meta pages, the even one the first and the odd one the second.
    ///
    /// LMDB takes the page with the greater number and asks nothing more: were that number damaged, it would
    /// go on from the transaction before, whole and sound, and the last answered writes would be gone.
    private static func follow(_ even: UInt64, _ odd: UInt64) -> Bool {
        if even == 0, odd == 0 { return true }
        return even % 2 == 0 && odd % 2 == 1 && max(even, odd) - min(even, odd) == 1
    }

    private static func damaged(_ path: String) -> VaultError {
        VaultError(
            .damaged, "\(path) is not a store, or its first pages are damaged",
            hint: "keep the file as it is and restore a backup into a new directory")
    }

    // A meta page (`MDB_page`, then `MDB_meta` of lmdb 0.9, 64 bits): flags at 10, magic at 16, version at
    // 20, page size at 40, last page at 136, transaction at 144.
    private static func meta(
        _ descriptor: Int32, at offset: Int, _ path: String
    ) throws(VaultError) -> (size: Int, last: Int, transaction: UInt64) {
        var page = [UInt8](repeating: 0, count: 152)
        guard pread(descriptor, &page, page.count, offset) == page.count else { throw damaged(path) }
        func number<N: FixedWidthInteger>(_ offset: Int, _: N.Type) -> N {
            page.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: N.self) }
        }
        guard number(10, UInt16.self) & 0x08 != 0, number(16, UInt32.self) == 0xBEEF_C0DE else { throw damaged(path) }
        guard number(20, UInt32.self) == 1 else { throw Fault.error(MDB_VERSION_MISMATCH, "open \(path)") }
        let size = Int(number(40, UInt32.self))
        let last = number(136, UInt64.self)
        guard (512...65536).contains(size), size.nonzeroBitCount == 1, (1..<(1 << 40)).contains(last) else {
            throw damaged(path)
        }
        return (size, Int(last), number(144, UInt64.self))
    }

    /// Opens the file while a short one has its full length, so that no read can fall off its end.
    func lengthening(_ path: String, _ open: () throws(VaultError) -> Environment) throws(VaultError) -> Environment {
        guard isShort else { return try open() }
        try setLength(expectedBytes, path)
        do throws(VaultError) { return try open() } catch {
            try setLength(bytes, path)
            throw error
        }
    }

    /// Makes sure that everything missing at the end of a short file was free pages.
    ///
    /// A healthy file can be short: a page that is taken and given back within one transaction is counted
    /// but never written. A file that was cut is short too, and lacks pages in use.
    /// - Throws: `damaged`, with the file as long as it was before.
    func checkMissing(in environment: OpaquePointer, _ path: String) throws(VaultError) {
        let missing = bytes / pageBytes..<expectedBytes / pageBytes
        guard Self.freePages(in: environment, among: missing) == missing.count else {
            try setLength(bytes, path)
            throw VaultError(
                .damaged, "\(path) was cut short: \(missing.count) pages are missing at its end",
                hint: "keep the file as it is and restore a backup into a new directory")
        }
    }

    private func setLength(_ length: Int, _ path: String) throws(VaultError) {
        guard truncate(path, length) == 0 else { throw Fault.error(errno, "set the length of \(path)") }
    }

    private static func freePages(in environment: OpaquePointer, among wanted: Range<Int>) -> Int {
        var transaction: OpaquePointer?
        guard mdb_txn_begin(environment, nil, UInt32(MDB_RDONLY), &transaction) == MDB_SUCCESS else { return 0 }
        defer { mdb_txn_abort(transaction) }
        var cursor: OpaquePointer?
        // Table 0 is LMDB's own list of free pages: each value is a length and that many page numbers.
        guard mdb_cursor_open(transaction, 0, &cursor) == MDB_SUCCESS else { return 0 }
        defer { mdb_cursor_close(cursor) }
        var count = 0
        var key = MDB_val()
        var value = MDB_val()
        while mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == MDB_SUCCESS {
            let list = UnsafeRawBufferPointer(start: value.mv_data, count: value.mv_size)
            guard list.count >= 8 else { continue }
            let length = min(list.loadUnaligned(as: Int.self), list.count / 8 - 1)
            for place in stride(from: 1, through: length, by: 1) {
                count += wanted.contains(list.loadUnaligned(fromByteOffset: place * 8, as: Int.self)) ? 1 : 0
            }
        }
        return count
    }
}
