import TestFolders
import VaultBase

@testable import VaultStore

/// A directory of its own for one test, removed with everything in it.
final class Scratch: Sendable {
    let path: String

    /// - Parameter inMemory: on a file system in memory, where there is one.
    convenience init(inMemory: Bool = false) {
        let place = inMemory && Files.status("/dev/shm") != nil ? "/dev/shm" : "/tmp"
        self.init(place, TestFolder.make("store", in: place))
    }

    /// In a folder of which another test's run takes care.
    convenience init(in place: String) { self.init(place, TestFolder.temporary("\(place)/store-")) }

    private init(_ place: String, _ made: String?) {
        guard let made else { preconditionFailure("no room for a test in \(place)") }
        path = made
    }

    var store: String { "\(path)/store" }
    var data: String { "\(path)/store/data.mdb" }

    deinit { TestFolder.remove(path) }
}

extension Store {
    /// What `key` holds, as text.
    func text(_ key: String, in table: Table = .records) throws -> String? {
        try read { try $0.text(key, in: table) }
    }

    func put(_ value: String, for key: String, in table: Table = .records) async throws {
        try await write { try $0.put(value, for: key, in: table) }
    }

    /// The keys from `key` on, in the order of the scan.
    func keys(in table: Table = .records, from key: String = "", limit: Int = .max) throws -> [String] {
        try read { try $0.keys(in: table, from: key, limit: limit) }
    }
}

extension StoreReading {
    func text(_ key: String, in table: Table = .records) throws -> String? {
        try get(key.utf8.span.bytes, in: table) { $0.text }
    }

    func keys(in table: Table = .records, from key: String = "", limit: Int = .max) throws -> [String] {
        var keys: [String] = []
        try scan(table, from: key.utf8.span.bytes) { key, _ in
            keys.append(key.text)
            return keys.count < limit
        }
        return keys
    }
}

extension StoreWriting {
    func put(_ value: String, for key: String, in table: Table = .records) throws {
        try put(value.utf8.span.bytes, for: key.utf8.span.bytes, in: table)
    }

    @discardableResult
    func delete(_ key: String, in table: Table = .records) throws -> Bool {
        try delete(key.utf8.span.bytes, in: table)
    }
}

extension RawSpan {
    var text: String { withUnsafeBytes { String(decoding: $0, as: UTF8.self) } }
}

/// What a test throws from inside an operation.
struct Refusal: Error, Equatable {
    var number = 0
}

/// The code of the ``VaultError`` that `body` throws, or nil.
func code(_ body: () async throws -> Void) async -> VaultError.Code? {
    do { try await body() } catch { return (error as? VaultError)?.code }
    return nil
}
