import Glibc
import TestFolders

/// A folder for one test, removed with it.
final class Folder: Sendable {
    let path: String

    init() throws {
        guard let made = TestFolder.make("records") else { throw Failure() }
        path = made
    }

    struct Failure: Error {}

    deinit { TestFolder.remove(path) }

    func names() throws -> [String] { TestFolder.names(in: path) }

    func read(_ name: String) throws -> [UInt8] { try Self.read(path + "/" + name) }

    static func read(_ path: String) throws -> [UInt8] {
        let descriptor = open(path, O_RDONLY)
        guard descriptor >= 0 else { throw Failure() }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            guard count > 0 else { break }
            bytes += buffer[..<count]
        }
        return bytes
    }

    func write(_ bytes: [UInt8], to name: String) throws {
        let descriptor = open(path + "/" + name, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        guard descriptor >= 0 else { throw Failure() }
        defer { close(descriptor) }
        guard Glibc.write(descriptor, bytes, bytes.count) == bytes.count else { throw Failure() }
    }

    func mode(_ name: String) throws -> mode_t {
        var info = stat()
        guard stat(path + "/" + name, &info) == 0 else { throw Failure() }
        return info.st_mode & 0o777
    }
}
