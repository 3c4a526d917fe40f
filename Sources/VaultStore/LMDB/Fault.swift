import CLMDB
import Glibc
import VaultBase

/// What a status of LMDB or the system means for us; the one place that says so.
enum Fault {
    /// How far a failure reaches.
    enum Reach {
        /// No room: nothing was written, the store goes on.
        case room
        /// This operation alone.
        case operation
        /// The store: nothing may be written any more.
        case store
    }

    static func reach(_ status: Int32) -> Reach {
        switch status {
        case MDB_MAP_FULL, ENOSPC, EDQUOT, EFBIG: .room
        case MDB_TXN_FULL, MDB_READERS_FULL, MDB_BAD_VALSIZE, ENOMEM, EAGAIN: .operation
        case MDB_CORRUPTED, MDB_PAGE_NOTFOUND: .operation
        default: .store
        }
    }

    /// - Parameter deed: what was being done, as in "cannot write to the store".
    static func error(_ status: Int32, _ deed: String) -> VaultError {
        let reason = "cannot \(deed): \(text(status))"
        return switch status {
        case MDB_MAP_FULL:
            VaultError(
                .full, reason, hint: "raise store.quota or the address-space limit, or delete what is not needed")
        case ENOSPC, EDQUOT, EFBIG:
            VaultError(.full, reason, hint: "make room on the disk; reads go on, and so do writes once there is room")
        case MDB_CORRUPTED, MDB_PAGE_NOTFOUND, MDB_INVALID:
            VaultError(.damaged, reason, hint: "keep the directory as it is and restore a backup into a new one")
        case MDB_VERSION_MISMATCH:
            VaultError(.newerFormat, reason, hint: "open it with the version of LMDB that made it")
        case EIO, MDB_PANIC:
            VaultError(
                .unknownOutcome, reason, hint: "look at the disk, then at the whole store: vault check")
        case MDB_TXN_FULL, MDB_BAD_VALSIZE:
            VaultError(.badRequest, reason, hint: "do it in smaller steps")
        case MDB_READERS_FULL, ENOMEM, EAGAIN:
            VaultError(.unavailable, reason, hint: "try again when there is less to do", retryAfter: .seconds(1))
        case EROFS:
            VaultError(.file, reason, hint: "reading takes locks too: mount the file system for writing")
        case EACCES, EPERM:
            VaultError(.file, reason, hint: "the store belongs to the user who made it: run as that user")
        case ENOENT, ENOTDIR, EEXIST, ELOOP, ENAMETOOLONG, EMFILE, ENFILE:
            VaultError(.file, reason)
        default:
            VaultError(.internal, reason)
        }
    }

    /// The outcome of a commit that failed for a reason which is not room.
    static func unknownOutcome(_ status: Int32) -> VaultError {
        if case .damaged = error(status, "").code { return error(status, "write to the store") }
        return VaultError(
            .unknownOutcome, "the disk failed under a write: \(text(status))",
            hint: "look at the disk, then start again: a server checks the whole store before it serves")
    }

    static func text(_ status: Int32) -> String { String(cString: mdb_strerror(status)) }
}
