import CLMDB
import Glibc
import VaultBase

/// Tells the file systems on which LMDB cannot be safe: its locks and its shared map stop at the machine.
enum FileSystem {
    /// The kernel's number for the file system below `path` (`statfs(2)`, `f_type`).
    static func kind(of path: String) throws(VaultError) -> UInt32 {
        var status = statfs()
        guard statfs(path, &status) == 0 else { throw Fault.error(errno, "look at \(path)") }
        return UInt32(truncatingIfNeeded: status.f_type)
    }

    static func check(_ path: String, options: LMDBStore.Options) throws(VaultError) {
        guard !options.allowsAnyFileSystem, let name = shared[try options.fileSystem(path)] else { return }
        throw VaultError(
            .locked, "\(path) is on a shared file system (\(name)), where a store is not safe",
            hint: "set store.path to a directory on a local disk")
    }

    private static let shared: [UInt32: String] = [
        0x6969: "nfs", 0x517B: "smb", 0xFF53_4D42: "cifs", 0xFE53_4D42: "smb2", 0x0102_1997: "9p",
        0x6573_5546: "fuse", 0x5346_414F: "afs", 0x6B41_4653: "afs", 0x7375_7245: "coda", 0x00C3_6400: "ceph",
        0x0116_1970: "gfs2", 0x7461_636F: "ocfs2", 0x0BD0_0BD0: "lustre", 0x564C: "ncp", 0x786F_4256: "vboxsf",
        0xAAD7_AAEA: "panfs", 0x4750_4653: "gpfs",
    ]
}
