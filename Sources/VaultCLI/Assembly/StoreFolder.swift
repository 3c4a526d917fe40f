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
        flush(directoryOf: path)
    }

    /// Puts the directory `new` in the place of `path`, which goes on as `kept`.
    ///
    /// The new one takes the kept name first and is then exchanged with `path` in one step: whenever the power
    /// goes, a whole vault stands at `path`, and the other one at `kept`. Where the file system cannot exchange,
    /// there are two steps, and between them both stand beside `path` under their own names.
    ///
    /// - Throws: `file`; then everything is where it was.
    static func replace(_ path: String, with new: String, keeping kept: String) throws(VaultError) {
        guard !FilePath.exists(kept), rename(new, kept) == 0 else {
            throw VaultError(.file, "\(kept) cannot be made: \(systemWords(errno))", hint: "nothing was changed")
        }
        do {
            return try exchange(path, kept)
        } catch {
            guard rename(kept, new) == 0, rename(path, kept) == 0 else { throw error }
            guard rename(new, path) == 0 else {
                let words = systemWords(errno)
                rename(kept, path)
                throw VaultError(.file, "\(path): \(words)", hint: "nothing was changed")
            }
            flush(directoryOf: path)
        }
    }

    /// Makes names that were changed beside `path` last.
    static func flush(directoryOf path: String) {
        let folder = open(Paths.directory(of: path), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { return }
        fsync(folder)
        close(folder)
    }

    /// Removes what a compaction left that was cut off: the copy before the exchange, or the old store after it.
    static func removeLeftovers(of path: String) {
        for name in siblings(of: path, mark) { remove(name) }
    }

    /// The paths beside `path` that begin with it and `mark`, in order.
    private static func siblings(of path: String, _ mark: String) -> [String] {
        let parent = Paths.directory(of: path)
        let prefix = path.dropFirst(parent == "/" ? 1 : parent.count + 1) + mark
        return (Paths.names(in: parent) ?? []).filter { $0.hasPrefix(prefix) }.map { "\(parent)/\($0)" }
    }

    /// Looks whether a replacement was cut off between its two steps: nothing stands at `path` then, and the old
    /// vault must not be forgotten for an empty one.
    ///
    /// - Throws: `code`, with where the old vault is.
    static func checkReplacement(of path: String, _ code: VaultError.Code) throws(VaultError) {
        guard !FilePath.exists(path), let old = siblings(of: path, keptMark).last,
            !siblings(of: path, RestorePlace.mark).isEmpty
        else { return }
        throw VaultError(
            code,
            "there is no vault at \(path): a restore was cut off before its last step, and the old vault is \(old)",
            hint: "restore again, or put the old one back: mv \(old) \(path)")
    }

    /// What stands between a store's name and the moment at which it was replaced.
    static let keptMark = ".before-"

    /// Removes a store: a flat directory of ours.
    static func remove(_ directory: String) {
        for name in ["data.mdb", "lock.mdb", "vault.lock", AdminSocket.name] { unlink("\(directory)/\(name)") }
        rmdir(directory)
    }
}
