import Glibc
import VaultBase

/// Files that hold a secret.
enum PrivateFile {
    /// Who may read the file.
    enum Mode {
        /// Only its owner, who is us or root: a root key.
        case key
        /// Whoever put it there decided that.
        case secret
    }

    /// Reads a whole file.
    ///
    /// - Throws: `file` when it is not there, is larger than `limit`, or is open to others though it must not be.
    static func read(_ path: String, limit: Int, mode: Mode) throws(VaultError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            let missing = errno == ENOENT
            throw VaultError(
                missing ? .notFound : .file, missing ? "there is no \(path)" : "\(path): \(systemWords(errno))",
                hint: missing ? nil : "look at its owner and mode: ls -l \(path)")
        }
        defer { close(descriptor) }
        guard let status = FileStatus(of: descriptor), status.isPlain else {
            throw VaultError(.file, "\(path) is no plain file", hint: "point at a file")
        }
        if mode == .key {
            guard status.owner == geteuid() || status.owner == 0 else {
                throw VaultError(
                    .file, "\(path) belongs to another user, who could change it",
                    hint: "make it yours: chown \(geteuid()) \(path)")
            }
            guard status.mode & 0o077 == 0 else {
                throw VaultError(
                    .file, "\(path) can be read by others", hint: "close it: chmod 0400 \(path)")
            }
        }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw VaultError(.file, "\(path): \(systemWords(errno))") }
            if count == 0 { break }
            bytes += buffer[..<count]
            guard bytes.count <= limit else {
                throw VaultError(.file, "\(path) is larger than \(limit) bytes", hint: "it is no secret")
            }
        }
        buffer.withUnsafeMutableBytes { explicit_bzero($0.baseAddress!, $0.count) }
        return bytes
    }

    /// Makes a new file of mode 0400, flushed, with its directory.
    ///
    /// - Throws: `conflict` when something is there, `file`, `full`.
    static func create(_ path: String, _ bytes: [UInt8]) throws(VaultError) {
        let directory = Paths.directory(of: path)
        try makeDirectory(directory)
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o400)
        guard descriptor >= 0 else {
            let there = errno == EEXIST
            throw VaultError(
                there ? .conflict : .file, there ? "\(path) is there already" : "\(path): \(systemWords(errno))",
                hint: there ? "it is not overwritten: move it away first if it is not needed" : nil)
        }
        defer { close(descriptor) }
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                let code: VaultError.Code = errno == ENOSPC || errno == EDQUOT ? .full : .file
                let words = systemWords(errno)
                unlink(path)
                throw VaultError(code, "\(path): \(words)")
            }
            rest = rest.dropFirst(count)
        }
        guard fsync(descriptor) == 0 else { throw VaultError(.file, "\(path): \(systemWords(errno))") }
        let folder = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if folder >= 0 {
            fsync(folder)
            close(folder)
        }
    }

    /// Makes the directory and those above it, 0700.
    static func makeDirectory(_ path: String) throws(VaultError) {
        if FilePath.exists(path) || path.isEmpty { return }
        try makeDirectory(Paths.directory(of: path))
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else {
            throw VaultError(.file, "\(path): \(systemWords(errno))", hint: "make it, or choose another place")
        }
    }
}

/// What the system says to an error number, beginning small as our sentences do.
func systemWords(_ number: Int32) -> String {
    let words = String(cString: strerror(number))
    return words.prefix(1).lowercased() + words.dropFirst()
}
