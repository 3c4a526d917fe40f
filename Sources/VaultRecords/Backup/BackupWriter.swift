import VaultBase
import VaultCrypto

/// Seals a row of bytes into chunks, as they fill.
struct BackupWriter: ~Copyable {
    private let file: NewFile
    private var stream: SecretStream.Push
    private var chunk = WipedBytes(count: BackupHeader.chunkSize)
    private var sealed = [UInt8](repeating: 0, count: BackupHeader.chunkSize + SecretStream.overhead)
    private var used = 0
    private var index: UInt64 = 0
    private var hash = Blake2bStream()
    private var bytes = 0

    init(_ file: NewFile, streamKey: GuardedKey) throws(VaultError) {
        self.file = file
        stream = SecretStream.Push(key: streamKey)
        let header = stream.header
        try header.withUnsafeBytes { header in Result { () throws(VaultError) in try file.write(header) } }.get()
    }

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

    /// Ends the backup; returns its hash.
    mutating func finish(entries: Int) throws(VaultError) -> [UInt8] {
        let total = bytes
        let digest = hash.finish()
        var manifest: [UInt8] = [BackupContent.manifest]
        manifest.append(u64: UInt64(entries))
        manifest.append(u64: UInt64(total))
        manifest += digest
        try append(manifest)
        try seal(isFinal: true)
        return digest
    }

    fileprivate mutating func append(_ bytes: UnsafeRawBufferPointer) throws(VaultError) {
        hash.update(bytes)
        self.bytes += bytes.count
        var rest = bytes
        while !rest.isEmpty {
            // Sealed only when more comes: the last chunk must be marked, and is never empty.
            if used == BackupHeader.chunkSize { try seal(isFinal: false) }
            let part = min(rest.count, BackupHeader.chunkSize - used)
            let (source, offset) = (UnsafeRawBufferPointer(rebasing: rest[..<part]), used)
            chunk.withMutableBytes { UnsafeMutableRawBufferPointer(rebasing: $0[offset...]).copyMemory(from: source) }
            used += part
            rest = UnsafeRawBufferPointer(rebasing: rest[part...])
        }
    }

    private mutating func seal(isFinal: Bool) throws(VaultError) {
        let count = used
        // The chunk's memory is lent to this call alone; nothing else touches the stream meanwhile.
        let plain = chunk.withBytes { UnsafeRawBufferPointer(rebasing: $0[..<count]) }
        let written = sealed.withUnsafeMutableBytes { buffer in
            let output = UnsafeMutableRawBufferPointer(rebasing: buffer[..<(count + SecretStream.overhead)])
            stream.push(plain, index: index, isFinal: isFinal, into: output)
            return Result { () throws(VaultError) in try file.write(UnsafeRawBufferPointer(output)) }
        }
        try written.get()
        used = 0
        index += 1
    }
}

extension WipedBytes {
    /// Hands the bytes to a writer without copying them.
    fileprivate borrowing func append(to writer: inout BackupWriter) throws(VaultError) {
        // Lent to this call alone, as a chunk is.
        let bytes = withBytes { $0 }
        try writer.append(bytes)
    }
}
