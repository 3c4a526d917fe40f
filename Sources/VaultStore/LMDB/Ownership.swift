import Glibc
import Synchronization
import VaultBase

/// The right to a store's directory: one process, and in it one opener.
///
/// A lock on `vault.lock` keeps other processes out; it goes with the process, however that ends. The
/// data file's device and inode keep out a second opener in this process, by whatever path it comes:
/// LMDB would let it in, and closing one would then take the locks of both.
final class Ownership: Sendable {
    private struct Claim {
        var descriptor: Int32
        var identity: Files.Identity?
    }

    private static let opened = Mutex<Set<Files.Identity>>([])
    private let claim: Mutex<Claim>

    /// - Throws: `locked` with the number of the process that owns it.
    init(of directory: String) throws(VaultError) {
        let descriptor = try Files.open("\(directory)/vault.lock", O_RDWR | O_CREAT | O_NOFOLLOW)
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let reason = errno
            let holder = Self.holder(descriptor)
            Glibc.close(descriptor)
            guard reason == EWOULDBLOCK else { throw Fault.error(reason, "lock \(directory)") }
            throw Self.taken(directory, by: holder)
        }
        claim = Mutex(Claim(descriptor: descriptor, identity: nil))
        let text = Array("\(getpid())\n".utf8)
        // Only a courtesy to whoever comes second, so a full disk is no reason to stay closed.
        ftruncate(descriptor, 0)
        pwrite(descriptor, text, text.count, 0)
    }

    deinit { release() }

    /// Claims the data file for this opener.
    ///
    /// - Throws: `locked` when this process has it open already.
    func claim(_ data: String, in directory: String) throws(VaultError) {
        guard let identity = Files.identity(data) else { throw Fault.error(errno, "look at \(data)") }
        let isNew = Self.opened.withLock { $0.insert(identity).inserted }
        guard isNew else { throw Self.taken(directory, by: getpid()) }
        claim.withLock { $0.identity = identity }
    }

    func release() {
        claim.withLock { claim in
            if let identity = claim.identity { _ = Self.opened.withLock { $0.remove(identity) } }
            if claim.descriptor >= 0 {
                // A child between fork and exec holds the descriptor too, and closing ours alone would leave the lock to it.
                flock(claim.descriptor, LOCK_UN)
                Glibc.close(claim.descriptor)
            }
            claim = Claim(descriptor: -1, identity: nil)
        }
    }

    private static func holder(_ descriptor: Int32) -> Int32? {
        var text = [UInt8](repeating: 0, count: 16)
        let length = pread(descriptor, &text, text.count, 0)
        guard length > 0 else { return nil }
        return Int32(String(decoding: text[..<length].prefix { $0 != 0x0A }, as: UTF8.self))
    }

    private static func taken(_ directory: String, by process: Int32?) -> VaultError {
        if process == getpid() {
            return VaultError(
                .locked, "the store at \(directory) is open in this process already",
                hint: "use the store that is open, or close it first")
        }
        let owner = process.map { "process \($0)" } ?? "another process"
        return VaultError(
            .locked, "the store at \(directory) belongs to \(owner)",
            hint: "stop that process first; commands reach a running server through its socket")
    }
}
