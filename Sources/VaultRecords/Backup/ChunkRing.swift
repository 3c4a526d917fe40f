import Glibc
import VaultBase
import VaultCrypto

/// The plaintext of one chunk, wiped when it goes.
final class Chunk: @unchecked Sendable {
    // Sendable: one thread has it at a time, and a ring passes it on.
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: BackupHeader.chunkSize, alignment: 16)
    var count = 0
    var isLast = false

    deinit {
        wipe(memory)
        memory.deallocate()
    }
}

/// A handful of chunks that go round between two threads: one fills them, the other empties them.
///
/// So two processors share the work on a backup, and neither gets further ahead of the other than the ring has chunks.
final class ChunkRing: @unchecked Sendable {
    // Sendable: everything that changes is touched under the lock.
    private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var empty: [Chunk]
    private var full: [Chunk] = []
    private let count: Int
    private var isEnded = false
    private var failure: VaultError?

    init(_ count: Int) {
        self.count = count
        empty = (0..<count).map { _ in Chunk() }
        pthread_mutex_init(lock, nil)
        pthread_cond_init(changed, nil)
    }

    deinit {
        pthread_cond_destroy(changed)
        pthread_mutex_destroy(lock)
        changed.deallocate()
        lock.deallocate()
    }

    // MARK: The side that fills

    /// A chunk to fill, as soon as there is one.
    ///
    /// - Throws: what ``fail(_:)`` was told, at once.
    func takeEmpty() throws(VaultError) -> Chunk {
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        // Whoever had to wait goes on with several at once: waking for each costs more than the chunk.
        let least = empty.isEmpty ? count / 2 : 1
        while failure == nil, empty.count < least { pthread_cond_wait(changed, lock) }
        if let failure { throw failure }
        return empty.removeLast()
    }

    func putFull(_ chunk: Chunk) {
        change {
            $0.full.append(chunk)
            return $0.full.count == $0.count / 4
        }
    }

    /// Says that no more will be filled.
    func end() {
        change {
            $0.isEnded = true
            return true
        }
    }

    /// Waits until everything that was filled is emptied.
    func waitUntilEmptied() throws(VaultError) {
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        while empty.count < count {
            if let failure { throw failure }
            pthread_cond_wait(changed, lock)
        }
    }

    // MARK: The side that empties

    /// The next chunk that was filled; nil after the last.
    ///
    /// - Throws: what ``fail(_:)`` was told, after the chunks that were filled before.
    func takeFull() throws(VaultError) -> Chunk? {
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        let least = full.isEmpty ? count / 4 : 1
        while failure == nil, !isEnded, full.count < least { pthread_cond_wait(changed, lock) }
        if !full.isEmpty { return full.removeFirst() }
        if let failure { throw failure }
        return nil
    }

    func putEmpty(_ chunk: Chunk) {
        change {
            $0.empty.append(chunk)
            return $0.empty.count == $0.count / 2 || $0.empty.count == $0.count
        }
    }

    // MARK: Both

    /// Ends it for both sides; the first failure is the one that is told.
    func fail(_ error: VaultError) {
        change {
            $0.failure = $0.failure ?? error
            return true
        }
    }

    /// - Parameter body: says whether the other side may be waiting for this.
    private func change(_ body: (ChunkRing) -> Bool) {
        pthread_mutex_lock(lock)
        let isAwaited = body(self)
        pthread_mutex_unlock(lock)
        // Never do both sides wait, so there is one to wake at most.
        if isAwaited { pthread_cond_signal(changed) }
    }
}
