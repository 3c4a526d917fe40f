import Testing
import VaultBase
import VaultCrypto
import VaultStore

@testable import VaultRecords

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

    /// Reads a backup that may be damaged.
    private typealias Reader = (String) throws -> Void

    private func whole(_ unlock: BackupUnlock) -> Reader {
        { path in _ = try OpenBackup([path], with: unlock).verify { _, _ in } }
    }

    /// Without key, tag and body: what every suite here must find wanting.
    private let blind: Reader = { _ = try Backup.inspect($0) }

    /// The copies that `reader` does not refuse as damaged.
    private func missed(_ copies: some Sequence<[UInt8]>, by reader: Reader) async throws -> [Int] {
        let place = vaults.path("changed")
        var missed: [Int] = []
        for (number, copy) in copies.enumerated() {
            try folder.write(copy, to: "changed")
            let refusal = await code { try reader(place) }
            // The first bytes say what it is; one of a later format is refused as that.
            if refusal != .damaged, number >= 6 || refusal != .newerFormat { missed.append(number) }
        }
        return missed
    }

    /// One for each byte, with one bit of it changed.
    private func flipped(_ bytes: [UInt8], _ range: Range<Int>) -> some Sequence<[UInt8]> {
        range.lazy.map { index in
            var copy = bytes
            copy[index] ^= UInt8(1 << (index % 8))
            return copy
        }
    }

    @Test(arguments: Kind.allCases) func anyChangedByteIsRefused(_ kind: Kind) async throws {
        let (bytes, unlock) = try await made(kind)
        #expect(try await missed(flipped(bytes, 0..<bytes.count), by: whole(unlock)) == [])
        try whole(unlock)(vaults.path("b"))
        #expect(try await missed(flipped(bytes, 0..<bytes.count), by: blind) != [])
    }

    /// Every seal of the body left out, and nothing else: then each changed byte in it gives other contents.
    @Test(arguments: Kind.allCases) func withoutSealsAChangedBodyWouldBeBelieved(_ kind: Kind) async throws {
        let (bytes, unlock) = try await made(kind)
        let stream = try #require(streamStart(bytes)) - 24
        func contents(_ path: String) throws -> [UInt8] {
            let source = try BackupSource(FileReader(at: path), with: unlock)
            return BlindStream.open(
                try Folder.read(path)[stream...], key: try BackupHeader.streamKey(source.fileKey))
        }
        let right = try contents(vaults.path("b"))
        let manifest = try OpenBackup([vaults.path("b")], with: unlock).verify { _, _ in }[0]
        #expect(Digest.blake2b(right.dropLast(BackupContent.endSize)) == manifest.hash)
        // The last 16 bytes are a seal, and the first of the chunk says that it is the last one.
        let body = (stream + 25)..<(bytes.count - 16)
        let others = Wrong()
        let blind: Reader = { path in if try contents(path) != right { others.count += 1 } }
        #expect(try await missed(flipped(bytes, body), by: blind) == Array(0..<body.count))
        #expect(others.count == body.count)
    }

    private final class Wrong { var count = 0 }

    /// The header's checksum can be made good by anybody; its tag, by nobody without the file's key.
    @Test(arguments: Kind.allCases) func aHeaderWhoseChecksumWasMadeGoodIsRefused(_ kind: Kind) async throws {
        let (bytes, unlock) = try await made(kind)
        let end = try #require(streamStart(bytes)) - 24 - 32 - 16
        let forged = flipped(bytes, 0..<end).lazy.map { copy in
            var sum = [UInt8](repeating: 0, count: 16)
            sum.withUnsafeMutableBytes { sum in
                copy[..<end].withUnsafeBytes { Blake2b.hash($0, into: sum) }
            }
            return Array(copy[..<end] + sum + copy[(end + 16)...])
        }
        // A slot that was changed may also have become nobody's, or a later format's.
        let reader = whole(unlock)
        let refused = { (path: String) throws in
            do { try reader(path) } catch let error as VaultError
                where [.wrongKey, .newerFormat].contains(error.code)
            { throw VaultError(.damaged, error.message) }
        }
        #expect(try await missed(forged, by: refused) == [])
        #expect(try await missed(forged, by: blind) != [])
    }

    @Test(arguments: Kind.allCases) func anyTruncationAndAnyAdditionIsRefused(_ kind: Kind) async throws {
        let (bytes, unlock) = try await made(kind)
        let copies =
            bytes.indices.map { Array(bytes[..<$0]) }
            + [[0], [UInt8](repeating: 1, count: 40), bytes].map { bytes + $0 }
        #expect(try await missed(copies, by: whole(unlock)) == [])
        #expect(try await missed(copies, by: blind) != [])
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
