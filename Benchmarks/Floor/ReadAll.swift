import Glibc

struct Unreadable: Error {
    var path: String
}

/// The text of a small file.
func readAll(_ path: String) throws -> String {
    let descriptor = open(path, O_RDONLY)
    guard descriptor >= 0 else { throw Unreadable(path: path) }
    defer { close(descriptor) }
    return String(unsafeUninitializedCapacity: 65536) { max(0, read(descriptor, $0.baseAddress, $0.count)) }
}
