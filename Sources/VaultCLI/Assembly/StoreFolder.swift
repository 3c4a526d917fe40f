import Glibc
import VaultBase

/// What is done to a store's directory as a whole.
enum StoreFolder {
    /// Where a store is written that will take the place of the one at `path`.
    static func working(_ path: String) -> String { "\(path)\(mark)\(getpid())" }

    private static let mark = ".compacting-"

    /// Puts each of two directories in the other's place, in one step, and makes that last.
    ///
    /// - Throws: `file` when the file system cannot do that; then both are where they were.
    static func exchange(_ path: String, _ other: String) throws(VaultError) {
        // Swift imports it only with extensions on; its parameters are plain.
        typealias Rename = @convention(c) (Int32, UnsafePointer<CChar>, Int32, UnsafePointer<CChar>, UInt32) -> Int32
        let exchange: UInt32 = 2
        guard let address = dlsym(nil, "renameat2") else {
            throw VaultError(.file, "this system cannot exchange two directories")
        }
        guard unsafeBitCast(address, to: Rename.self)(AT_FDCWD, path, AT_FDCWD, other, exchange) == 0 else {
            throw VaultError(
                .file, "\(other) cannot take the place of \(path): \(systemWords(errno))",
                hint: "nothing was changed; a file system like ext4, xfs or btrfs can do it")
        }
        let folder = open(FilePath.directory(of: path), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { return }
        fsync(folder)
        close(folder)
    }

    /// Removes what a compaction left that was cut off: the copy before the exchange, or the old store after it.
    static func removeLeftovers(of path: String) {
        let parent = FilePath.directory(of: path)
        let prefix = path.dropFirst(parent == "/" ? 1 : parent.count + 1) + mark
        guard let stream = opendir(parent) else { return }
        defer { closedir(stream) }
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name.hasPrefix(prefix) { remove("\(parent)/\(name)") }
        }
    }

    /// Removes a store: a flat directory of ours.
    static func remove(_ directory: String) {
        for name in ["data.mdb", "lock.mdb", "vault.lock", AdminSocket.name] { unlink("\(directory)/\(name)") }
        rmdir(directory)
    }
}
