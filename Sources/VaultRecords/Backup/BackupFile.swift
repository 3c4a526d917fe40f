import Glibc
import VaultBase
import VaultCrypto

/// A file that is written beside its place, as 0600, and gets its name only once it is whole.
///
/// Unless ``publish()`` ran, nothing is left of it.
final class NewFile: @unchecked Sendable {
    // Sendable: one thread writes to it at a time, and who started that one waits for it.
    private let path: String
    private let partial: String
    private let descriptor: CInt
    private var isPublished = false

    /// What stands between the name it will have and a random part, while it has only that.
    static let mark = ".partial-"

    /// - Throws: `conflict` when something is at `path`; `file`, `full`.
    init(at path: String) throws(VaultError) {
        self.path = path
        var info = stat()
        guard lstat(path, &info) != 0 else { throw Self.exists(path) }
        partial = "\(path)\(Self.mark)\(Random.token(bytes: 9))"
        descriptor = open(partial, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw File.error("make", partial) }
        // The umask can only take bits away; this says what they are.
        fchmod(descriptor, 0o600)
    }

    deinit {
        close(descriptor)
        if !isPublished { unlink(partial) }
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws(VaultError) { try write(bytes) { Glibc.write($0, $1, $2) } }

    /// Writes over the beginning.
    func rewrite(_ bytes: [UInt8]) throws(VaultError) {
        var position = 0
        try bytes.withUnsafeBytes { bytes in
            Result { () throws(VaultError) in
                try write(bytes) { descriptor, start, count in
                    let written = pwrite(descriptor, start, count, position)
                    position += max(0, written)
                    return written
                }
            }
        }.get()
    }

    private func write(
        _ bytes: UnsafeRawBufferPointer, by call: (CInt, UnsafeRawPointer, Int) -> Int
    ) throws(VaultError) {
        var rest = bytes
        while let start = rest.baseAddress, !rest.isEmpty {
            let count = call(descriptor, start, rest.count)
            if count < 0 {
                if errno == EINTR { continue }
                throw File.error("write", path)
            }
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
    }

    func flush() throws(VaultError) { guard fsync(descriptor) == 0 else { throw File.error("flush", path) } }

    /// Reads what was written, from the beginning.
    func reader() throws(VaultError) -> FileReader { try FileReader(at: partial) }

    /// Gives the file its name, unless something has it by now, and flushes the directory.
    func publish() throws(VaultError) {
        // A second name cannot replace a file, as renaming would.
        if link(partial, path) == 0 {
            unlink(partial)
        } else if errno == EEXIST {
            throw Self.exists(path)
        } else if errno == EPERM || errno == EOPNOTSUPP || errno == ENOSYS {
            // A file system without second names: look, then rename.
            var info = stat()
            guard lstat(path, &info) != 0 else { throw Self.exists(path) }
            guard rename(partial, path) == 0 else { throw File.error("name", path) }
        } else {
            throw File.error("name", path)
        }
        isPublished = true
        do {
            try File.flushDirectory(of: path)
        } catch {
            // Whether it will still be there tomorrow nobody knows: then rather not today.
            unlink(path)
            throw error
        }
    }

    private static func exists(_ path: String) -> VaultError {
        VaultError(.conflict, "\(path) is there already", hint: "a backup never replaces a file: name another")
    }
}

/// Reads a file, or what comes through a pipe, from its beginning.
final class FileReader: @unchecked Sendable {
    // One reader uses it at a time; handing it on is safe.
    let path: String
    private let descriptor: CInt
    private let isOurs: Bool
    /// How many bytes were read since the beginning.
    private(set) var position = 0

    init(at path: String) throws(VaultError) {
        self.path = path
        isOurs = true
        descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw File.error("open", path) }
        posix_fadvise(descriptor, 0, 0, CInt(POSIX_FADV_SEQUENTIAL))
    }

    /// Standard input.
    init() {
        path = "standard input"
        isOurs = false
        descriptor = STDIN_FILENO
    }

    deinit { if isOurs { close(descriptor) } }

    /// - Throws: `file` for another position than the present one in what comes through a pipe.
    func seek(to position: Int) throws(VaultError) {
        guard position != self.position else { return }
        guard lseek(descriptor, off_t(position), SEEK_SET) == position else { throw File.error("read again", path) }
        self.position = position
    }

    /// Fills as much of `buffer` as the file still has; returns how much.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws(VaultError) -> Int {
        var done = 0
        while done < buffer.count, let start = buffer.baseAddress {
            let count = Glibc.read(descriptor, start + done, buffer.count - done)
            if count < 0 {
                if errno == EINTR { continue }
                throw File.error("read", path)
            }
            if count == 0 { break }
            done += count
            position += count
        }
        return done
    }

    /// Exactly `count` bytes, or nil when the file ends before.
    func bytes(_ count: Int) throws(VaultError) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        let result = bytes.withUnsafeMutableBytes { buffer in
            Result { () throws(VaultError) in try read(into: buffer) }
        }
        return try result.get() == count ? bytes : nil
    }
}

private enum File {
    static func error(_ verb: String, _ path: String) -> VaultError {
        let number = errno
        let reason = String(cString: strerror(number))
        guard [ENOSPC, EDQUOT, EFBIG].contains(number) else {
            return VaultError(.file, "cannot \(verb) \(path): \(reason)")
        }
        return VaultError(.full, "cannot \(verb) \(path): \(reason)", hint: "make room or choose another disk")
    }

    static func flushDirectory(of path: String) throws(VaultError) {
        let directory = Paths.directory(of: path)
        let descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw error("flush", directory) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw error("flush", directory) }
    }
}
