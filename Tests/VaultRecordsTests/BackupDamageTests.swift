import Testing
import VaultBase
import VaultCrypto
import VaultRecords
import VaultStore

/// Backups that were changed, cut or put together wrong.
@Suite struct BackupDamageTests {
    let vaults: BackupBench
    var folder: Folder { vaults.folder }
    init() throws { vaults = try BackupBench() }

    /// A small backup of each kind: full for the vault, full for a public key and a passphrase, an increment.
    enum Kind: CaseIterable { case full, others, increment }

    private func made(_ kind: Kind) async throws -> ([UInt8], BackupUnlock) {
        let bench = try await vaults.small()
        var unlock = BackupUnlock.key(bench.key)
        switch kind {
        case .full: _ = try await vaults.backup(bench)
        case .others:
            let secret = try BackupSecretKey.generate()
            let words = try NewKey(passphrase: Secret("correct horse battery"), cost: .init(passes: 1, kibibytes: 8))
            _ = try await vaults.backup(bench, for: [.publicKey(secret.publicKey), .passphrase(words)])
            unlock = .secretKey(secret)
        case .increment:
            let first = try await vaults.backup(bench, "first").1
            try await bench.put(bench.connection("bob"))
            try await bench.records.write { _ = try $0.delete(UserID("ada"), PlatformName("spotify")) }
            _ = try await vaults.backup(bench, since: first.end)
        }
        return (try folder.read("b"), unlock)
    }

    @Test(arguments: Kind.allCases) func anyChangedByteIsRefused(_ kind: Kind) async throws {
        let (bytes, unlock) = try await made(kind)
        let changed = vaults.path("changed")
        for index in bytes.indices {
            var copy = bytes
            copy[index] ^= UInt8(1 << (index % 8))
            try folder.write(copy, to: "changed")
            let refusal = await code { _ = try OpenBackup([changed], with: unlock).verify { _, _ in } }
            #expect(refusal == .damaged || index < 6 && refusal == .newerFormat, "byte \(index): \(refusal as Any)")
        }
        _ = try OpenBackup([vaults.path("b")], with: unlock).verify { _, _ in }
    }

    /// A reader without seals and without the last chunk's mark: `inspect` reads the head alone.
    @Test func theseTestsWouldNoticeAReaderThatDoesNotReadToTheEnd() async throws {
        let bench = try await vaults.small()
        let (_, _) = try await vaults.backup(bench)
        let bytes = try folder.read("b")
        let changed = folder.path + "/changed"
        var missed = 0
        for index in bytes.indices {
            var copy = bytes
            copy[index] ^= UInt8(1 << (index % 8))
            try folder.write(copy, to: "changed")
            if await code({ _ = try Backup.inspect(changed) }) == nil { missed += 1 }
        }
        #expect(missed > 0)
        try folder.write(Array(bytes.dropLast()), to: "changed")
        #expect(await code { _ = try Backup.inspect(changed) } == nil)
    }

    @Test(arguments: Kind.allCases) func anyTruncationAndAnyAdditionIsRefused(_ kind: Kind) async throws {
        let (bytes, unlock) = try await made(kind)
        let cut = vaults.path("cut")
        func refusal(_ copy: [UInt8]) async throws -> VaultError.Code? {
            try folder.write(copy, to: "cut")
            return await code { _ = try OpenBackup([cut], with: unlock).verify { _, _ in } }
        }
        for count in 0..<bytes.count { #expect(try await refusal(Array(bytes.prefix(count))) == .damaged, "\(count)") }
        for more in [[0], [UInt8](repeating: 1, count: 40), bytes] {
            #expect(try await refusal(bytes + more) == .damaged)
        }
    }

    /// Several chunks: cut and extended at, before and after each border, and with two chunks exchanged.
    @Test func chunksCannotBeCutSwappedOrRepeated() async throws {
        let bench = try await Bench()
        let connections = try (0..<30).map {
            try bench.connection("u\($0)", token: String(repeating: "x", count: 8_000))
        }
        try await bench.records.write { for connection in connections { try $0.put(connection, expecting: 0) } }
        let (path, manifest) = try await vaults.backup(bench)
        #expect(try Backup.verify(path, rootKey: bench.key) { _, _ in } == manifest)
        let bytes = try folder.read("b")
        let chunk = 65536 + 17
        let other = folder.path + "/other"
        func refused(_ copy: [UInt8]) async throws {
            try folder.write(copy, to: "other")
            #expect(await code { _ = try Backup.verify(other, rootKey: bench.key) { _, _ in } } == .damaged)
        }
        #expect(bytes.count > 3 * chunk)
        let stream = try #require(streamStart(bytes))
        for index in 0...(bytes.count - stream) / chunk {
            let border = stream + index * chunk
            for position in [border - 1, border, border + 1, border + 17] where position < bytes.count {
                try await refused(Array(bytes[..<position]))
            }
        }
        let first = bytes[stream..<(stream + chunk)]
        let second = bytes[(stream + chunk)..<(stream + 2 * chunk)]
        try await refused(Array(bytes[..<stream] + second + first + bytes[(stream + 2 * chunk)...]))
        try await refused(Array(bytes[..<(stream + chunk)] + first + bytes[(stream + chunk)...]))
        try await refused(Array(bytes[..<stream] + bytes[(stream + chunk)...]))
    }

    /// A last chunk that is as long as any: nothing but the end of the file tells that it is the last.
    @Test func nothingMayFollowAFullLastChunk() async throws {
        let bench = try await Bench()
        for index in 0..<5 {
            try await bench.put(bench.connection("u\(index)", token: String(repeating: "x", count: 9_000)))
        }
        try await bench.put(bench.connection("v"))
        _ = try await vaults.backup(bench, "first")
        let first = try folder.read("first")
        let stream = try #require(streamStart(first))
        var missing = 65536 - (first.count - stream - 17)
        // Each further user takes this much and the length of its name.
        let each = 6 + 1 + 16 + (try #require(try bench.rows(.records).last).1.count)
        let more = missing / (each + 60)
        for index in 0..<more {
            let length = (missing - each * (more - index)) / (more - index)
            var connection = try bench.connection("w\(index)" + String(repeating: "-", count: length - 2))
            connection.subject = "same"
            try await bench.put(connection)
            missing -= each + length
        }
        let (path, manifest) = try await vaults.backup(bench, "full")
        let full = try folder.read("full")
        #expect(full.count - stream == 65536 + 17)
        #expect(try Backup.verify(path, rootKey: bench.key) { _, _ in } == manifest)
        let longer = folder.path + "/longer"
        for addition in [1, 17, 18, 65536 + 17] {
            try folder.write(full + [UInt8](repeating: 0, count: addition), to: "longer")
            #expect(await code { _ = try Backup.verify(longer, rootKey: bench.key) { _, _ in } } == .damaged)
        }
    }

    /// Where the chunks begin: after the header, whose length stands in it.
    private func streamStart(_ bytes: [UInt8]) -> Int? {
        guard bytes.count > 144 else { return nil }
        let slots = Int(bytes[140]) | Int(bytes[141]) << 8
        return 144 + slots + 16 + 32 + 24
    }
}
