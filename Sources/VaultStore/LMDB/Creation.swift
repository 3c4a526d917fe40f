import CLMDB
import Glibc
import VaultBase

/// Makes a store so that it is there whole or not at all.
///
/// LMDB alone flushes neither the first pages nor the directory: cut off at the wrong moment, it leaves
/// a file that never opens again. So the store is made beside its place, flushed, and renamed.
enum Creation {
    /// - Returns: the lock on the new directory, still held.
    static func make(_ path: String, options: LMDBStore.Options) throws(VaultError) -> Ownership {
        var status = stat()
        // An empty directory may be replaced: packages and service managers make them.
        if lstat(path, &status) == 0 { guard isEmptyDirectory(status, path) else { throw taken(path) } }
        let parent = Paths.directory(of: path)
        try Files.makeDirectory(parent)
        try FileSystem.check(parent, options: options)

        let prefix = ".\(Paths.name(of: path)).creating-"
        removeLeftovers(prefix, in: parent)
        var template = Array("\(parent)/\(prefix)XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Fault.error(errno, "make a directory in \(parent)") }
        let draft = template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
        do throws(VaultError) {
            let ownership = try Ownership(of: draft)
            try Environment(draft, options: options).close()
            for name in ["data.mdb", "lock.mdb", "vault.lock"] { try Files.flush("\(draft)/\(name)") }
            try Files.flush(draft)
            options.beforeRename?()
            guard rename(draft, path) == 0 else {
                let reason = errno
                if [EEXIST, ENOTEMPTY, ENOTDIR].contains(reason) { throw taken(path) }
                throw Fault.error(reason, "move the new store to \(path)")
            }
            try Files.flush(parent)
            return ownership
        } catch {
            Files.removeDirectory(draft)
            throw error
        }
    }

    private static func isEmptyDirectory(_ status: stat, _ path: String) -> Bool {
        status.st_mode & S_IFMT == S_IFDIR && access(path, R_OK) == 0 && Files.names(in: path).isEmpty
    }

    private static func taken(_ path: String) -> VaultError {
        let isStore = Files.status("\(path)/data.mdb") != nil
        return VaultError(
            .conflict, isStore ? "there is a store at \(path) already" : "there is something at \(path) already",
            hint: "open that one, or give a path where nothing is")
    }

    /// Removes what creations that were cut off have left; one under way holds its lock.
    private static func removeLeftovers(_ prefix: String, in parent: String) {
        for name in Files.names(in: parent) where name.hasPrefix(prefix) {
            let draft = "\(parent)/\(name)"
            guard Files.status("\(draft)/vault.lock") != nil, let ownership = try? Ownership(of: draft) else {
                continue
            }
            Files.removeDirectory(draft)
            ownership.release()
        }
    }
}
