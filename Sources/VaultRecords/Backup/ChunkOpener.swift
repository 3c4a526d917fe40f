import VaultBase
import VaultCrypto

/// Opens the chunks of a backup, one after the other, and hashes what is in them, on a thread of its own.
struct ChunkOpener: ~Copyable {
    /// What all chunks together were.
    struct Whole {
        /// How many bytes stand before the manifest.
        var bytes = 0
        /// Their BLAKE2b-256.
        var digest: [UInt8] = []
    }

    private let work: Work
    private let helper: Helper
    /// Chunks on their way.
    private static let chunks = 16

    /// - Parameters:
    ///   - file: stands before the first chunk.
    ///   - proven: the digest, where it is known.
    init(
        _ file: FileReader, _ stream: consuming SecretStream.Pull, proven: [UInt8]? = nil
    ) throws(VaultError) {
        let work = Work(file, stream, proven, ChunkRing(Self.chunks))
        helper = try Helper {
            do throws(VaultError) { try work.run() } catch { work.ring.fail(error) }
        }
        self.work = work
    }

    // The helper is waited for after this: the file may be read again from its beginning.
    deinit { work.ring.fail(VaultError(.unavailable, "the backup is read no more")) }

    /// The next chunk, every byte of which is authenticated; nil once the last one was taken and the file ended with it.
    ///
    /// - Throws: `damaged`, `file`.
    func next() throws(VaultError) -> Chunk? { try work.ring.takeFull() }

    /// Takes a chunk back that was read.
    func recycle(_ chunk: Chunk) { work.ring.putEmpty(chunk) }

    /// Known once ``next()`` has given nil.
    var whole: Whole { work.whole }

    private final class Work: @unchecked Sendable {
        // Sendable: the helper has it for itself until it ends the ring, and changes nothing afterwards.
        let ring: ChunkRing
        private(set) var whole = Whole()
        private let file: FileReader
        private var stream: SecretStream.Pull
        private let proven: [UInt8]?
        private var hash = Blake2bStream()
        /// The last bytes so far, which are not hashed: at the end they are the manifest.
        private var tail: [UInt8] = []

        init(_ file: FileReader, _ stream: consuming SecretStream.Pull, _ proven: [UInt8]?, _ ring: ChunkRing) {
            self.file = file
            self.stream = stream
            self.proven = proven
            self.ring = ring
        }

        func run() throws(VaultError) {
            let sealed = UnsafeMutableRawBufferPointer.allocate(
                byteCount: BackupHeader.chunkSize + SecretStream.overhead, alignment: 16)
            defer { sealed.deallocate() }
            var index: UInt64 = 0
            var isLast = false
            while !isLast {
                let chunk = try ring.takeEmpty()
                try open(sealed, into: chunk, index)
                add(UnsafeRawBufferPointer(rebasing: chunk.memory[..<chunk.count]))
                isLast = chunk.isLast
                if isLast, try file.bytes(1) != nil { throw BackupError.damaged("something was added after its end") }
                if isLast { whole.digest = proven ?? hash.finish() }
                index += 1
                ring.putFull(chunk)
            }
            ring.end()
        }

        private func open(
            _ sealed: UnsafeMutableRawBufferPointer, into chunk: Chunk, _ index: UInt64
        ) throws(VaultError) {
            let count = try file.read(into: sealed)
            guard count > SecretStream.overhead else { throw BackupError.truncated }
            chunk.count = count - SecretStream.overhead
            let isLast = stream.pull(
                UnsafeRawBufferPointer(rebasing: sealed[..<count]), index: index,
                into: UnsafeMutableRawBufferPointer(rebasing: chunk.memory[..<chunk.count]))
            guard let isLast else {
                // A cut leaves a short chunk, which does not open either.
                throw count < sealed.count
                    ? BackupError.damaged("it was cut or changed near its end")
                    : BackupError.damaged("chunk \(index) was changed")
            }
            // Every chunk but the last is whole.
            guard isLast || count == sealed.count else { throw BackupError.truncated }
            chunk.isLast = isLast
        }

        private func add(_ bytes: UnsafeRawBufferPointer) {
            let end = BackupContent.endSize
            let kept = max(0, end - bytes.count)
            // What was held back and now turns out not to be the manifest.
            let passed = max(0, tail.count - kept)
            let fresh = max(0, bytes.count - end)
            if proven == nil {
                tail.withUnsafeBytes { hash.update(UnsafeRawBufferPointer(rebasing: $0[..<passed])) }
                hash.update(UnsafeRawBufferPointer(rebasing: bytes[..<fresh]))
            }
            tail.removeFirst(passed)
            tail += bytes[fresh...]
            whole.bytes += passed + fresh
        }
    }
}
