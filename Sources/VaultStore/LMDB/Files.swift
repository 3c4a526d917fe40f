import Glibc
import VaultBase

/// The few things done to files around a store. Every descriptor is closed on exec.
enum Files {
    struct Identity: Hashable, Sendable {
        let device: UInt
        let inode: UInt
    }

    static func status(_ path: String) -> stat? {
        var status = stat()
        return stat(path, &status) == 0 ? status : nil
    }

    static func identity(_ path: String) -> Identity? {
        status(path).map { Identity(device: UInt($0.st_dev), inode: UInt($0.st_ino)) }
    }

    static func identity(_ descriptor: Int32) -> Identity? {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return nil }
        return Identity(device: UInt(status.st_dev), inode: UInt(status.st_ino))
    }

    static func trimmed(_ path: String) -> String {
        var path = path
        while path.count > 1, path.last == "/" { path.removeLast() }
        return path
    }

    static func open(_ path: String, _ flags: Int32) throws(VaultError) -> Int32 {
        let descriptor = Glibc.open(path, flags | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Fault.error(errno, "open \(path)") }
        return descriptor
    }

    /// Makes the content of a file, or the names in a directory, last.
    static func flush(_ path: String) throws(VaultError) {
        let descriptor = try open(path, O_RDONLY)
        defer { Glibc.close(descriptor) }
        guard fsync(descriptor) == 0 else { throw Fault.error(errno, "flush \(path)") }
    }

    /// Makes the directory and those above it, for the owner alone.
    static func makeDirectory(_ path: String) throws(VaultError) {
        if let status = status(path), status.st_mode & S_IFMT == S_IFDIR { return }
        let parent = Paths.directory(of: path)
        if parent != path { try makeDirectory(parent) }
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw Fault.error(errno, "make the directory \(path)") }
        try flush(parent)
    }

    /// None of a directory that cannot be read.
    static func names(in directory: String) -> [String] { Paths.names(in: directory) ?? [] }

    /// Removes a directory that holds only files.
    static func removeDirectory(_ path: String) {
        for name in names(in: path) { unlink("\(path)/\(name)") }
        rmdir(path)
    }
}
