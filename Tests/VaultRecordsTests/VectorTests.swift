import TestFolders
import Testing
import VaultBase
import VaultCrypto
import VaultRecords
import VaultStore

/// Stores and backups that another implementation made from the format page (`Vectors/make_vectors.py`).
@Suite struct VectorTests {
    @Test(arguments: try vectors(".vector")) func storesOpenAsTheFormatSays(name: String) async throws {
        let vector = try Vector(name)
        let store = MemoryStore()
        for row in vector.all("row") {
            let parts = row.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
            let table = try #require(Table(rawValue: parts[0]))
            let (key, value) = (try #require(Hex.decode(parts[1])), try #require(Hex.decode(parts[2])))
            try await store.write { try $0.put(value.span.bytes, for: key.span.bytes, in: table) }
        }
        let clock = HandClock(Timestamp(milliseconds: try #require(Int64(vector.one("now")))))
        let key = try vector.rootKey()
        let opened = try vector.one("open")
        guard opened == "ok" else {
            #expect(await code { _ = try Records.open(store, rootKey: key, clock: clock) }?.name == opened)
            return
        }
        let records = try Records.open(store, rootKey: key, clock: clock)
        for line in vector.all("connection") { try compare(line, records) }
        #expect(try records.verify().isSound == (try vector.one("check") == "sound"))
    }

    @Test(arguments: try vectors(".backup")) func backupsVerifyAsTheFormatSays(name: String) async throws {
        let vector = try Vector(name)
        let folder = try Folder()
        try folder.write(try #require(Hex.decode(vector.one("backup"))), to: "b")
        let (path, unlock, expected) = (folder.path + "/b", try vector.unlock(), try vector.one("expect"))
        guard expected == "ok" else {
            #expect(await code { _ = try OpenBackup([path], with: unlock).verify { _, _ in } }?.name == expected)
            return
        }
        let backup = try OpenBackup([path], with: unlock)
        let manifest = try #require(try backup.verify { _, _ in }.first)
        #expect(String(manifest.connections) == (try vector.one("connections")))
        #expect(String(manifest.sequence) == (try vector.one("sequence")))
        #expect(manifest.since.map { String($0.sequence) } == vector.all("since").first)
        guard manifest.since == nil else { return }
        let store = MemoryStore()
        _ = try await backup.restore(into: store, isSingleUse: { _ in false }) { _, _ in }
        // Whoever opened the backup, the vault opens with the key it had.
        #expect(try Records.open(store, rootKey: vector.rootKey()).verify().problems == [])
    }

    @Test func thereAreVectors() throws {
        #expect(try Self.vectors(".vector").count >= 25)
        #expect(try Self.vectors(".backup").count >= 35)
    }

    /// `user platform`, then `none`, an error's code, or fields as `name=value`, with `_` for a space.
    private func compare(_ line: String, _ records: Records) throws {
        let words = line.split(separator: " ").map(String.init)
        let (user, platform) = (try UserID(words[0]), try PlatformName(words[1]))
        let found: Connection?
        do {
            found = try records.read { try $0.connection(user, platform) }
        } catch let error as VaultError {
            #expect(error.code.name == words[2], "\(line)")
            return
        }
        guard words[2] != "none" else {
            #expect(found == nil, "\(line)")
            return
        }
        let connection = try #require(found, "\(line)")
        let fields = [
            "access": connection.accessToken.reveal(), "refresh": connection.refreshToken?.reveal() ?? "",
            "type": connection.tokenType, "scope": connection.scope, "subject": connection.subject,
            "expires": connection.expiresAt.map { "\($0.rawValue)" } ?? "", "client": connection.clientID,
            "created": "\(connection.createdAt.rawValue)", "updated": "\(connection.updatedAt.rawValue)",
            "consented": "\(connection.consentedAt.rawValue)", "name": connection.displayName ?? "",
            "generation": "\(connection.generation)", "health": connection.health.name,
            "version": "\(connection.version)",
        ]
        for word in words.dropFirst(2) {
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            let expected = String(parts[1].map { $0 == "_" ? " " : $0 })
            #expect(fields[parts[0]] == expected, "\(parts[0])")
        }
    }

    private static func vectors(_ ending: String) throws -> [String] {
        TestFolder.names(in: Vector.folder).filter { $0.hasSuffix(ending) }
    }
}

/// A file of lines `name value`.
private struct Vector {
    private var lines: [(name: String, value: String)] = []

    static let folder = String(#filePath[..<(#filePath.lastIndex(of: "/") ?? #filePath.startIndex)]) + "/Vectors"

    init(_ name: String) throws {
        let text = String(decoding: try Folder.read(Self.folder + "/" + name), as: UTF8.self)
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            let parts = line.split(separator: " ", maxSplits: 1).map(String.init)
            lines.append((parts[0], parts.count > 1 ? parts[1] : ""))
        }
    }

    func all(_ name: String) -> [String] { lines.filter { $0.name == name }.map(\.value) }
    func one(_ name: String) throws -> String { try #require(all(name).first) }

    func rootKey() throws -> GuardedKey { try key(one("root-key")) }

    /// `secret HEX`, `passphrase WORDS`, or without either the root key.
    func unlock() throws -> BackupUnlock {
        guard let line = all("unlock").first else { return .key(try rootKey()) }
        let parts = line.split(separator: " ", maxSplits: 1).map(String.init)
        return parts[0] == "secret"
            ? .secretKey(BackupSecretKey(try key(parts[1]))) : .vault(.passphrase(Secret(parts[1])))
    }

    private func key(_ hex: String) throws -> GuardedKey {
        let bytes = try #require(Hex.decode(hex))
        return try bytes.withUnsafeBytes { try GuardedKey(copying: $0) }
    }
}
