import CLMDB
import Glibc
import VaultBase

/// An open LMDB environment with its tables.
final class Environment: @unchecked Sendable {
    // Sendable: nothing changes after init, and with MDB_NOTLS an environment may be used from any thread.
    let raw: OpaquePointer
    let path: String
    /// The limit that is kept, in bytes: the quota, or the map where that is smaller.
    let quota: Int
    let pageBytes: Int
    private let handles: [MDB_dbi]
    private let forks = Forks.begin()

    /// Opens the environment in `directory`, making `data.mdb` and the tables where they are missing.
    ///
    /// - Parameter readOnly: makes nothing, and no write can be begun.
    init(_ directory: String, options: LMDBStore.Options, readOnly: Bool = false) throws(VaultError) {
        let mapped: Int
        (raw, mapped) = try Self.map(directory, options: options, readOnly ? MDB_RDONLY : 0)
        path = directory
        quota = min(options.quota, mapped)
        do throws(VaultError) {
            var status = MDB_stat()
            mdb_env_stat(raw, &status)
            pageBytes = Int(status.ms_psize)
            handles = try Self.tables(raw, readOnly: readOnly)
            // LMDB leaves this one descriptor to child processes.
            guard fcntl(try Self.descriptor(raw), F_SETFD, FD_CLOEXEC) == 0 else {
                throw Fault.error(errno, "keep \(directory) to this process")
            }
            var dead: Int32 = 0
            mdb_reader_check(raw, &dead)
        } catch {
            mdb_env_close(raw)
            throw error
        }
    }

    func handle(_ table: Table) -> MDB_dbi { handles[table.index] }

    func close() { mdb_env_close(raw) }

    /// - Throws: `internal` in a child process made by fork.
    func checkProcess() throws(VaultError) {
        guard Forks.count == forks else {
            throw VaultError(
                .internal, "a store was used in a forked process",
                hint: "fork before it is opened, or start another program instead")
        }
    }

    /// Pages in the file, free ones too.
    var filePages: Int {
        var info = MDB_envinfo()
        mdb_env_info(raw, &info)
        return info.me_last_pgno + 1
    }

    /// Bytes of the pages in use, as the transaction sees them.
    func usedBytes(in transaction: OpaquePointer) -> Int {
        // 0 and 1 are LMDB's own tables; two pages more are the meta pages.
        let pages = ([0, 1] + handles).reduce(2) { sum, handle in
            var status = MDB_stat()
            mdb_stat(transaction, handle, &status)
            return sum + status.ms_branch_pages + status.ms_leaf_pages + status.ms_overflow_pages
        }
        return pages * pageBytes
    }

    var fileBytes: Int {
        var status = stat()
        guard let descriptor = try? Self.descriptor(raw), fstat(descriptor, &status) == 0 else { return 0 }
        return Int(status.st_size)
    }

    /// Whether the disk or the process's limit leaves less than 1 MiB. LMDB reports a short write as EIO,
    /// which alone would look like a broken disk.
    var isOutOfRoom: Bool {
        var limit = rlimit()
        if getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0,
            limit.rlim_cur < UInt(fileBytes) + (1 << 20)
        {
            return true
        }
        var status = statvfs()
        guard statvfs(path, &status) == 0 else { return false }
        return UInt(status.f_bavail) * UInt(status.f_frsize) < 1 << 20
    }

    static func descriptor(_ raw: OpaquePointer) throws(VaultError) -> Int32 {
        var descriptor: mdb_filehandle_t = -1
        let status = mdb_env_get_fd(raw, &descriptor)
        guard status == MDB_SUCCESS else { throw Fault.error(status, "find the data file") }
        return descriptor
    }

    private static func map(
        _ directory: String, options: LMDBStore.Options, _ flags: Int32
    ) throws(VaultError) -> (OpaquePointer, Int) {
        var size = options.mapSize
        var limit = rlimit()
        // Address space is needed for more than the map.
        if getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0 {
            size = Int(min(UInt(size), limit.rlim_cur / 4))
        }
        while true {
            var raw: OpaquePointer?
            var status = mdb_env_create(&raw)
            guard status == MDB_SUCCESS, let raw else { throw Fault.error(status, "open \(directory)") }
            mdb_env_set_maxdbs(raw, 32)
            mdb_env_set_maxreaders(raw, UInt32(options.readers))
            mdb_env_set_mapsize(raw, size)
            status = mdb_env_open(raw, directory, UInt32(MDB_NOTLS | MDB_NORDAHEAD | flags), 0o600)
            if status == MDB_SUCCESS { return (raw, size) }
            mdb_env_close(raw)
            guard status == ENOMEM, size > 16 << 20 else { throw Fault.error(status, "open \(directory)") }
            size /= 2
        }
    }

    private static func tables(_ raw: OpaquePointer, readOnly: Bool) throws(VaultError) -> [MDB_dbi] {
        var transaction: OpaquePointer?
        var status = mdb_txn_begin(raw, nil, UInt32(readOnly ? MDB_RDONLY : 0), &transaction)
        guard status == MDB_SUCCESS else { throw Fault.error(status, "open the tables") }
        var handles = [MDB_dbi](repeating: 0, count: Table.allCases.count)
        for table in Table.allCases {
            status = mdb_dbi_open(transaction, table.rawValue, UInt32(readOnly ? 0 : MDB_CREATE), &handles[table.index])
            guard status == MDB_SUCCESS else {
                mdb_txn_abort(transaction)
                throw Fault.error(status, "open the table \(table.rawValue)")
            }
        }
        // Writes nothing when the tables were there.
        status = mdb_txn_commit(transaction)
        guard status == MDB_SUCCESS else { throw Fault.error(status, "make the tables") }
        return handles
    }
}
