#if canImport(Glibc)
    import Glibc
#endif

/// A folder for one test, removed with it.
final class Folder: Sendable {
    let path: String

    init() throws {
        var template = Array("/tmp/vault-records-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Failure() }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    struct Failure: Error {}

    deinit { Self.remove(path) }

    private static func remove(_ path: String) {
        for name in (try? entries(path)) ?? [] {
            let child = path + "/" + name
            if unlink(child) != 0 { remove(child) }
        }
        rmdir(path)
    }

    func names() throws -> [String] { try Self.entries(path).sorted() }

    static func entries(_ path: String) throws -> [String] {
        guard let directory = opendir(path) else { throw Failure() }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names
    }

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
