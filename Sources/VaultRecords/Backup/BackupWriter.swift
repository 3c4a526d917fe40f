import VaultBase
import VaultCrypto

/// Seals a row of bytes into chunks, as they fill; a second thread seals and writes.
struct BackupWriter: ~Copyable {
    private let ring: ChunkRing
    private let helper: Helper
    private var chunk: Chunk
    private var hash: Blake2bStream
    private var bytes = 0

    /// Chunks on their way: more than a slice of the copy fills at once.
    private static let chunks = 32

    init(_ file: NewFile, streamKey: GuardedKey) throws(VaultError) {
        let ring = ChunkRing(Self.chunks)
        let first = try ring.takeEmpty()
        helper = try Helper {
            do throws(VaultError) { try Self.seal(ring, streamKey, to: file) } catch { ring.fail(error) }
        }
        self.ring = ring
        chunk = first
        hash = Blake2bStream()
    }

    deinit { ring.fail(VaultError(.unavailable, "the backup was given up")) }

    /// Writes a keyring, closed and open.
    mutating func keyring(_ wrapped: [UInt8], _ keyring: Keyring) throws(VaultError) {
        var head: [UInt8] = [BackupContent.keyring]
        head.append(u16: UInt16(wrapped.count))
        head += wrapped
        let body = keyring.body()
        head.append(u16: UInt16(body.count))
        try append(head)
        try body.append(to: &self)
    }

    mutating func append(_ bytes: [UInt8]) throws(VaultError) {
        try bytes.withUnsafeBytes { bytes in Result { () throws(VaultError) in try append(bytes) } }.get()
    }

    /// Ends the backup once all of it is written; returns its hash.
    mutating func finish(entries: Int) throws(VaultError) -> [UInt8] {
        let total = bytes
        let digest = hash.finish()
        var manifest: [UInt8] = [BackupContent.manifest]
        manifest.append(u64: UInt64(entries))
        manifest.append(u64: UInt64(total))
        manifest += digest
        try append(manifest)
        chunk.isLast = true
        ring.putFull(chunk)
        ring.end()
        try ring.waitUntilEmptied()
        return digest
    }

    fileprivate mutating func append(_ bytes: UnsafeRawBufferPointer) throws(VaultError) {
        hash.update(bytes)
        self.bytes += bytes.count
        var rest = bytes
        while !rest.isEmpty {
            // Handed on only when more comes: the last chunk must be marked, and is never empty.
            if chunk.count == BackupHeader.chunkSize {
                ring.putFull(chunk)
                chunk = try ring.takeEmpty()
            }
            let part = min(rest.count, BackupHeader.chunkSize - chunk.count)
            UnsafeMutableRawBufferPointer(rebasing: chunk.memory[chunk.count...]).copyMemory(
                from: UnsafeRawBufferPointer(rebasing: rest[..<part]))
            chunk.count += part
            rest = UnsafeRawBufferPointer(rebasing: rest[part...])
        }
    }

    /// What the second thread does.
    private static func seal(_ ring: ChunkRing, _ key: GuardedKey, to file: NewFile) throws(VaultError) {
        var stream = SecretStream.Push(key: key)
        try stream.header.withUnsafeBytes { header in
            Result { () throws(VaultError) in try file.write(header) }
        }.get()
        let sealed = UnsafeMutableRawBufferPointer.allocate(
            byteCount: BackupHeader.chunkSize + SecretStream.overhead, alignment: 16)
        defer { sealed.deallocate() }
        var index: UInt64 = 0
        while let chunk = try ring.takeFull() {
            let output = UnsafeMutableRawBufferPointer(rebasing: sealed[..<(chunk.count + SecretStream.overhead)])
            stream.push(
                UnsafeRawBufferPointer(rebasing: chunk.memory[..<chunk.count]), index: index, isFinal: chunk.isLast,
                into: output)
            try file.write(UnsafeRawBufferPointer(output))
            index += 1
            chunk.count = 0
            ring.putEmpty(chunk)
        }
    }
}

extension WipedBytes {
    /// Hands the bytes to a writer without copying them.
    fileprivate borrowing func append(to writer: inout BackupWriter) throws(VaultError) {
        // Lent to this call alone; the writer's chunks are wiped too.
        let bytes = withBytes { $0 }
        try writer.append(bytes)
    }
}
