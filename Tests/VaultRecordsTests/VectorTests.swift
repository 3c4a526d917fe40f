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
        let opened = try vector.one("open")
        let open = { try Records.open(store, with: vector.storeKey(), clock: clock) }
        guard opened == "ok" else {
            refused(opened) { _ = try open() }
            return
        }
        let records = try open()
        try await compareErrands(vector, records)
        for line in vector.all("connection") { try compare(line, records) }
        #expect(try records.verify().isSound == (try vector.one("check") == "sound"))
    }

    @Test(arguments: try vectors(".backup")) func backupsVerifyAsTheFormatSays(name: String) async throws {
        let vector = try Vector(name)
        let folder = try Folder()
        try folder.write(try #require(Hex.decode(vector.one("backup"))), to: "b")
        let (path, unlock, expected) = (folder.path + "/b", try vector.unlock(), try vector.one("expect"))
        guard expected == "ok" else {
            refused(expected) { _ = try OpenBackup([path], with: unlock).verify { _, _ in } }
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
        #expect(try Self.vectors(".vector").count >= 40)
        #expect(try Self.vectors(".backup").count >= 39)
    }

    /// With that code, and with what to do next.
    private func refused(_ code: String, _ body: () throws -> Void) {
        let error = #expect(throws: VaultError.self) { try body() }
        #expect(error?.code.name == code)
        #expect(error?.hint != nil, "\(String(describing: error))")
        if code == "newer-format" { #expect(error?.hint?.contains("version") == true) }
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

    /// Events, service keys and pending revocations, all that are there, in the order of their keys.
    private func compareErrands(_ vector: Vector, _ records: Records) async throws {
        func milliseconds(_ time: Timestamp?) -> String { time.map { "\($0.rawValue)" } ?? "" }
        func words(_ texts: some Sequence<String>) -> String { texts.sorted().joined(separator: "_") }
        let events = try records.read { try $0.events(limit: 99) }.map { event in
            let (facts, deliveries) = (event.facts, event.deliveries ?? [])
            let optional = [
                ("reason", facts.reason), ("grant-end", facts.grantEndsAt.map(milliseconds)),
                ("missing", facts.missingScope?.replacing(" ", with: "_")), ("revoked", facts.revoked),
                ("by", facts.by),
            ].compactMap { name, value in value.map { " \(name)=\($0)" } }
            let told = deliveries.map { "\($0.receiver):\($0.state.rawValue):\($0.attempts):\($0.code ?? "")" }
            return "\(event.number) id=\(event.id) kind=\(event.kind.rawValue) user=\(event.user) "
                + "platform=\(event.platform) at=\(milliseconds(event.at))\(optional.joined()) "
                + "told=\(told.joined(separator: ",")) ends=\(milliseconds(event.endsAt))"
        }
        #expect(events == vector.all("event"))
        #expect(
            try records.read { try $0.pendingEvents(limit: 99) }.map { "\($0.number)" }
                == vector.all("event").filter { $0.contains("told= ") }.map { String($0.prefix(2)) })
        if let fault = vector.all("services").first {
            #expect(await code { _ = try records.read { try $0.serviceKeys() } }?.name == fault)
        } else {
            let services = try records.read { try $0.serviceKeys() }.map { service in
                "\(service.id) name=\(service.name) actions=\(words(service.actions.map(\.rawValue))) "
                    + "platforms=\(service.platforms.map { words($0.map(\.rawValue)) } ?? "*") "
                    + "created=\(milliseconds(service.createdAt)) digest=\(Hex.encode(service.digest)) "
                    + "ends=\(milliseconds(service.endsAt))"
            }
            #expect(services.sorted() == vector.all("service"))
        }
        let late = Timestamp(rawValue: .max)
        let revocations = try records.read { try $0.revocations(dueBefore: late, limit: 99) }.map { one in
            "\(one.user) \(one.platform) subject=\(one.subject) access=\(one.accessToken.reveal()) "
                + "refresh=\(one.refreshToken?.reveal() ?? "") attempts=\(one.attempts) "
                + "next=\(milliseconds(one.nextAt)) ends=\(milliseconds(one.endsAt))"
        }
        #expect(revocations.sorted() == vector.all("revocation").sorted())
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

    /// What opens the store: `passphrase WORDS`, `recovery TEXT`, or without either the root key.
    func storeKey() throws -> UnlockKey {
        guard let line = all("unlock").first else { return .key(try rootKey()) }
        let parts = line.split(separator: " ", maxSplits: 1).map(String.init)
        return parts[0] == "passphrase" ? .passphrase(Secret(parts[1])) : .key(try RecoveryKey(Secret(parts[1])).key)
    }

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
