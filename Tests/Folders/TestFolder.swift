import Glibc
import Synchronization
import VaultBase

/// Folders for tests. All of one run lie in one folder, `vault-tests-…`, which goes when the run ends; what a run left
/// that was killed, the next one takes away.
public enum TestFolder {
    /// Makes a folder of one test; nil where none can be made.
    ///
    /// - Parameter place: where the run's folder is: `/tmp`, or `/dev/shm` to be in memory.
    public static func make(_ kind: String, in place: String = "/tmp") -> String? {
        let folder = runs.withLock { runs in
            if runs.isEmpty { atexit { TestFolder.removeRuns() } }
            if runs[place] == nil { runs[place] = begin(in: place) }
            return runs[place]
        }
        return folder.flatMap { temporary("\($0)/\(kind)-") }
    }

    /// Makes a folder whose name begins so; who made the one around it removes it.
    public static func temporary(_ beginning: String) -> String? {
        var template = Array("\(beginning)XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { return nil }
        return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Removes a folder with everything in it.
    public static func remove(_ path: String) {
        for name in names(in: path) where unlink("\(path)/\(name)") != 0 { remove("\(path)/\(name)") }
        rmdir(path)
    }

    /// What a folder holds, in order.
    public static func names(in path: String) -> [String] { Paths.names(in: path) ?? [] }

    /// This run's folder in each place.
    private static let runs = Mutex<[String: String]>([:])
    private static let prefix = "vault-tests-"
    private static let mark = "running"

    /// The folder of this run. Its mark is locked as long as this process lives, whatever ends it.
    private static func begin(in place: String) -> String? {
        removeAbandoned(in: place)
        while let folder = temporary("\(place)/\(prefix)") {
            let file = open("\(folder)/\(mark)", O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
            guard file >= 0 else { return nil }
            // Another run that began at this moment may have taken it for abandoned.
            if flock(file, LOCK_EX | LOCK_NB) == 0, access("\(folder)/\(mark)", F_OK) == 0 { return folder }
            close(file)
        }
        return nil
    }

    private static func removeAbandoned(in place: String) {
        for name in names(in: place) where name.hasPrefix(prefix) {
            let file = open("\(place)/\(name)/\(mark)", O_RDWR | O_CLOEXEC)
            guard file >= 0 else { continue }
            if flock(file, LOCK_EX | LOCK_NB) == 0 { remove("\(place)/\(name)") }
            close(file)
        }
    }

    private static func removeRuns() {
        for folder in runs.withLock({ Array($0.values) }) { remove(folder) }
    }
}
