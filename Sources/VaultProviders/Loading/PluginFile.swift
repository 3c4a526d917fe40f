import VaultBase

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The rules for files whose code we are about to run: nobody but their owner may change them or put another in their
/// place, and the owner is root or the user we run as.
enum PluginFile {
    /// The largest plugin, in bytes; one with a Swift runtime of its own has 14 MB.
    static let sizeLimit = 256 << 20

    /// The `.so` files of a folder, in order of name.
    ///
    /// - Throws: `file` when the folder cannot be read, `plugin` when others may write to it.
    static func list(_ folder: String) throws(VaultError) -> [String] {
        guard let names = Paths.names(in: folder) else {
            throw VaultError(
                .file, "the plugin folder \(folder) cannot be read: \(String(cString: strerror(errno)))",
                hint: "set plugins.path in vault.conf to the folder with the .so files")
        }
        try checkOwner(folder, "the plugin folder \(folder)")
        return names.filter { $0.hasSuffix(".so") && !$0.hasPrefix(".") }
    }

    /// - Throws: `plugin`, with what to do.
    static func check(_ path: String) throws(VaultError) {
        var status = stat()
        guard stat(path, &status) == 0 else {
            throw VaultError(
                .plugin, "it cannot be read: \(String(cString: strerror(errno)))",
                hint: "check the file and its link, if it is one")
        }
        guard status.st_mode & S_IFMT == S_IFREG, status.st_size <= sizeLimit else {
            throw VaultError(
                .plugin, "it is not a regular file of at most 256 MiB", hint: "copy the plugin itself there")
        }
        guard access(path, R_OK) == 0 else {
            throw VaultError(.plugin, "it may not be read by this user", hint: "chmod a+r \(path)")
        }
        try checkOwner(path, "it")
        // Where a link leads, the folder there decides who can replace the file.
        if let target = realpath(path, nil) {
            defer { free(target) }
            let folder = Paths.directory(of: String(cString: target))
            try checkOwner(folder, "its folder \(folder)")
        }
    }

    private static func checkOwner(_ path: String, _ what: String) throws(VaultError) {
        var status = stat()
        guard stat(path, &status) == 0 else {
            throw VaultError(
                .plugin, "\(what) cannot be read: \(String(cString: strerror(errno)))", hint: "check \(path)")
        }
        guard status.st_uid == 0 || status.st_uid == geteuid() else {
            throw VaultError(
                .plugin, "\(what) belongs to user \(status.st_uid), who could change what we run",
                hint: "chown root \(path)")
        }
        guard status.st_mode & (S_IWGRP | S_IWOTH) == 0 else {
            throw VaultError(.plugin, "\(what) may be changed by others", hint: "chmod go-w \(path)")
        }
    }

    /// What tells one file at a path from another that was put there later.
    struct Identity: Sendable, Equatable {
        let device, inode, seconds, nanoseconds, size: Int

        /// nil when there is no file.
        init?(_ path: String) {
            var status = stat()
            guard stat(path, &status) == 0 else { return nil }
            (device, inode, size) = (Int(status.st_dev), Int(status.st_ino), Int(status.st_size))
            #if canImport(Glibc)
                (seconds, nanoseconds) = (status.st_mtim.tv_sec, status.st_mtim.tv_nsec)
            #else
                (seconds, nanoseconds) = (status.st_mtimespec.tv_sec, status.st_mtimespec.tv_nsec)
            #endif
        }
    }

    /// - Throws: `file`.
    static func read(_ path: String, limit: Int) throws(VaultError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw VaultError(.file, "\(path) cannot be read: \(String(cString: strerror(errno)))")
        }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while bytes.count <= limit {
            let size = buffer.count
            let count = buffer.withUnsafeMutableBytes { recvFile(descriptor, $0.baseAddress, size) }
            if count == 0 { return bytes }
            guard count > 0 || errno == EINTR else {
                throw VaultError(.file, "\(path) cannot be read: \(String(cString: strerror(errno)))")
            }
            if count > 0 { bytes += buffer[..<count] }
        }
        throw VaultError(.file, "\(path) is larger than \(limit) bytes")
    }
}

// Inside the enum, `read` is its own function.
private func recvFile(_ descriptor: Int32, _ start: UnsafeMutableRawPointer?, _ count: Int) -> Int {
    read(descriptor, start, count)
}
