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

    /// - Parameter beforeLock: runs when the file is open and not yet locked.
    /// - Throws: `locked` with the process that owns it, also when that is in another container; `conflict` when the
    ///   directory is exchanged again and again.
    init(of directory: String, beforeLock: () -> Void = {}) throws(VaultError) {
        let descriptor = try Self.lock(directory, beforeLock)
        claim = Mutex(Claim(descriptor: descriptor, identity: nil))
        let text = Array(Holder.own.text.utf8)
        // Only a courtesy to whoever comes second, so a full disk is no reason to stay closed.
        ftruncate(descriptor, 0)
        pwrite(descriptor, text, text.count, 0)
    }

    deinit { release() }

    private static func lock(_ directory: String, _ beforeLock: () -> Void) throws(VaultError) -> Int32 {
        let path = "\(directory)/vault.lock"
        for _ in 0..<8 {
            let descriptor = try Files.open(path, O_RDWR | O_CREAT | O_NOFOLLOW)
            beforeLock()
            guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
                let reason = errno
                let holder = Holder(writtenIn: descriptor)
                Glibc.close(descriptor)
                guard reason == EWOULDBLOCK else { throw Fault.error(reason, "lock \(directory)") }
                throw holder.refusal(directory)
            }
            // A restore or a compaction that had the lock may have put another directory here since the file was opened.
            if let locked = Files.identity(descriptor), locked == Files.identity(path) { return descriptor }
            Glibc.close(descriptor)
        }
        throw VaultError(
            .conflict, "the directory \(directory) is being exchanged",
            hint: "try again when the other command is done")
    }

    /// Claims the data file for this opener.
    ///
    /// - Throws: `locked` when this process has it open already.
    func claim(_ data: String, in directory: String) throws(VaultError) {
        guard let identity = Files.identity(data) else { throw Fault.error(errno, "look at \(data)") }
        let isNew = Self.opened.withLock { $0.insert(identity).inserted }
        guard isNew else { throw Holder.own.refusal(directory) }
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
}
