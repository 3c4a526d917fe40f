import Testing
import VaultBase
import VaultCrypto
import VaultRecords
import VaultStore

/// Who can open a backup.
@Suite struct BackupRecipientTests {
    let vaults: BackupBench
    init() throws { vaults = try BackupBench() }

    private let words = Secret("correct horse battery")
    private var passphrase: BackupRecipient {
        get throws { .passphrase(try NewKey(passphrase: words, cost: .init(passes: 1, kibibytes: 8))) }
    }

    private func opens(_ unlock: BackupUnlock) async -> VaultError.Code? {
        await code { _ = try OpenBackup([vaults.path("b")], with: unlock).verify { _, _ in } }
    }

    @Test func eachRecipientOpensItAndNobodyElse() async throws {
        let bench = try await vaults.small()
        let (one, two, three) = (
            try BackupSecretKey.generate(), try BackupSecretKey.generate(), try BackupSecretKey.generate()
        )
        _ = try await vaults.backup(
            bench, for: [.publicKey(one.publicKey), try passphrase, .publicKey(two.publicKey), .vault])
        for unlock in [.secretKey(one), .secretKey(two), .vault(.passphrase(words)), BackupUnlock.key(bench.key)] {
            #expect(await opens(unlock) == nil)
        }
        #expect(await opens(.secretKey(three)) == .wrongKey)
        #expect(await opens(.key(try GuardedKey.generate())) == .wrongKey)
        #expect(await opens(.vault(.passphrase(Secret("correct horse staple")))) == .wrongKey)
        let recipients = try Backup.inspect(vaults.path("b")).recipients
        #expect(recipients == [one.publicKey.text, "passphrase", two.publicKey.text, "vault"])
    }

    /// A server that writes for a public key alone cannot read what it wrote before.
    @Test func theVaultsOwnKeyDoesNotOpenWhatIsForAnother() async throws {
        let bench = try await vaults.small()
        let secret = try BackupSecretKey.generate()
        _ = try await vaults.backup(bench, for: [.publicKey(secret.publicKey)])
        #expect(await opens(.key(bench.key)) == .wrongKey)
        let bytes = try vaults.folder.read("b")
        // The wrapped keyring, which the root key would open, is not in clear.
        #expect(!contains(bytes, Array("VKR1".utf8)))
        let backup = try OpenBackup([vaults.path("b")], with: .secretKey(secret))
        let store = MemoryStore()
        _ = try await backup.restore(into: store, isSingleUse: { _ in false }) { _, _ in }
        // The vault opens with the root key it had …
        #expect(try Records.open(store, rootKey: bench.key).verify().isSound)
        // … or with a new one and nothing else, where that one is lost.
        let (other, new) = (MemoryStore(), try GuardedKey.generate())
        _ = try await backup.restore(into: other, newKey: NewKey(rootKey: new), isSingleUse: { _ in false }) { _, _ in }
        let records = try Records.open(other, rootKey: new)
        #expect(try records.verify().isSound && records.keySlots().count == 1)
        #expect(await code { _ = try Records.open(other, rootKey: bench.key) } == .wrongKey)
    }

    private func contains(_ bytes: [UInt8], _ part: [UInt8]) -> Bool {
        bytes.indices.dropLast(part.count).contains { bytes[$0..<($0 + part.count)].elementsEqual(part) }
    }

    @Test func keysAreReadAsTheyAreWritten() throws {
        let secret = try BackupSecretKey.generate()
        #expect(try BackupSecretKey(secret.text).publicKey == secret.publicKey)
        #expect(try BackupPublicKey(secret.publicKey.text) == secret.publicKey)
        // One digit typed wrong is noticed: a backup to that key would be nobody's.
        var digits = Array(secret.publicKey.text)
        digits[20] = digits[20] == "a" ? "b" : "a"
        for text in [String(digits), "public:", String(secret.publicKey.text.dropLast()), secret.text.reveal()] {
            #expect(throws: VaultError.self) { _ = try BackupPublicKey(text) }
        }
        #expect(throws: VaultError.self) { _ = try BackupSecretKey(Secret(secret.publicKey.text)) }
        #expect(!"\(secret)".contains(secret.text.reveal().suffix(20)))
    }

    @Test func aBackupIsForSomebody() async throws {
        let bench = try await vaults.small()
        #expect(await code { _ = try await vaults.backup(bench, for: []) } == .badRequest)
        let many = [BackupRecipient](repeating: .vault, count: 17)
        #expect(await code { _ = try await vaults.backup(bench, for: many) } == .badRequest)
        #expect(try vaults.folder.names() == [])
    }

    @Test func aDrillProvesABackupAndFindsWhatIsWrong() async throws {
        let bench = try await vaults.filled()
        let (path, manifest) = try await vaults.backup(bench)
        #expect(try await OpenBackup([path], with: .key(bench.key)).drill(into: MemoryStore()) { _, _ in } == manifest)
        var bytes = try vaults.folder.read("b")
        bytes[bytes.count / 2] ^= 1
        try vaults.folder.write(bytes, to: "b")
        #expect(
            await code {
                _ = try await OpenBackup([path], with: .key(bench.key)).drill(into: MemoryStore()) { _, _ in }
            } == .damaged)
    }

    /// The backup is whole, and what becomes of it is not: only the comparison after the restore can tell.
    @Test(arguments: Spoiled.Damage.allCases) func aDrillFindsWhatTheRestoreMadeWrong(_ damage: Spoiled.Damage)
        async throws
    {
        let bench = try await vaults.filled()
        let (path, manifest) = try await vaults.backup(bench)
        let backup = try OpenBackup([path], with: .key(bench.key))
        #expect(try backup.verify { _, _ in } == [manifest])
        do {
            _ = try await backup.drill(into: Spoiled(damage)) { _, _ in }
            Issue.record("taken for good")
        } catch let error as VaultError {
            #expect(error.code == .damaged && error.message.hasPrefix("the restored vault "), "\(error)")
        }
    }

    @Test func oneUserIsFoundAsItWas() async throws {
        let bench = try await vaults.filled()
        let full = try await vaults.backup(bench, "full").1
        try await bench.put(bench.connection("ada", token: "later"))
        try await bench.records.write { _ = try $0.delete(UserID("ada"), PlatformName("github")) }
        _ = try await vaults.backup(bench, "one", since: full.end)
        func found(_ names: [String], _ user: String) throws -> [String] {
            try OpenBackup(names.map(vaults.path), with: .key(bench.key)).connections(of: UserID(user)) { _, _ in }
                .1.map { "\($0.platform) \($0.accessToken.reveal()) \($0.health.name)" }
        }
        #expect(try found(["full"], "ada") == ["github access-1 healthy", "spotify access-1 healthy"])
        #expect(try found(["full", "one"], "ada") == ["spotify later healthy"])
        #expect(try found(["full"], "bob") == ["spotify access-1 uncertain"])
        #expect(await code { _ = try found(["full"], "nobody") } == .notFound)
        #expect(await code { _ = try found(["full"], "cy") } == .notFound)
        #expect(await code { _ = try found(["one"], "ada") } == .conflict)
    }

    @Test func whatWasDoneIsRemembered() async throws {
        let bench = try await vaults.small()
        #expect(try bench.records.last(.backup) == nil)
        let (path, manifest) = try await vaults.backup(bench)
        let mark = BackupMark(at: manifest.createdAt, end: manifest.end, file: path)
        try await bench.records.note(mark, of: .backup)
        try await bench.records.note(BackupMark(at: bench.now, end: manifest.end, isGood: false, file: "ü"), of: .drill)
        let records = try bench.reopened()
        #expect(try records.last(.backup) == mark)
        #expect(try records.last(.drill)?.isGood == false)
        #expect(try records.verify().isSound)
    }
}

/// A store that loses or changes a record: while it is filled, or once it is a vault.
final class Spoiled: Store {
    enum Damage: CaseIterable { case lostOnTheWay, lostAtTheEnd, changedAtTheEnd }

    private let store = MemoryStore()
    private let damage: Damage

    init(_ damage: Damage) { self.damage = damage }

    func read<R>(_ body: (any StoreReading) throws -> R) throws -> R { try store.read(body) }

    func load<R: Sendable>(_ body: @escaping @Sendable (any StoreWriting) throws -> R) async throws -> R {
        try await spoiling(damage == .lostOnTheWay, body)
    }

    func write<R: Sendable>(_ body: @escaping @Sendable (any StoreWriting) throws -> R) async throws -> R {
        try await spoiling(damage != .lostOnTheWay, body)
    }

    private func spoiling<R: Sendable>(
        _ isSpoiling: Bool, _ body: @escaping @Sendable (any StoreWriting) throws -> R
    ) async throws -> R {
        let isChange = damage == .changedAtTheEnd
        return try await store.write { transaction in
            let result = try body(transaction)
            guard isSpoiling else { return result }
            var row: ([UInt8], [UInt8])?
            try transaction.scan(.records, from: RawSpan()) { key, value in
                row = (key.withUnsafeBytes { Array($0) }, value.withUnsafeBytes { Array($0) })
                return false
            }
            guard let (key, old) = row else { return result }
            if isChange {
                var value = old
                value[value.count - 1] ^= 1
                try transaction.put(value.span.bytes, for: key.span.bytes, in: .records)
            } else {
                try transaction.delete(key.span.bytes, in: .records)
            }
            return result
        }
    }

    func statistics() throws -> StoreStatistics { try store.statistics() }
    func close() async { await store.close() }
}
