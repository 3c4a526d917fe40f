import Glibc
import VaultBase

/// Takes log lines from whoever logs and writes them on a thread of its own, in their order.
///
/// Nobody waits for who reads the log: when it stalls and ``limit`` bytes wait, lines are dropped, and once it goes on a
/// line in their place says how many.
final class LogSink: @unchecked Sendable {
    // Sendable: everything that changes is touched under the lock, `batch` by the thread alone.

    /// How many bytes may wait; as many again are being written.
    static let limit = 1 << 20

    private let descriptor: Int32
    private let limit: Int
    private let notice: @Sendable (_ lost: Int) -> String
    private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let filled = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private let written = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var queue: [UInt8] = []
    private var batch: [UInt8] = []
    private var lost = 0
    private var isWriting = false
    private var isResting = false

    /// - Parameter notice: the line that says how many lines were lost. Called on the sink's thread.
    /// - Throws: `unavailable` when no thread can be made.
    init(
        to descriptor: Int32 = STDERR_FILENO, limit: Int = LogSink.limit,
        notice: @escaping @Sendable (_ lost: Int) -> String
    ) throws(VaultError) {
        self.descriptor = descriptor
        self.limit = limit
        self.notice = notice
        pthread_mutex_init(lock, nil)
        pthread_cond_init(filled, nil)
        pthread_cond_init(written, nil)
        pthread_detach(try OwnThread.start { self.run() })
    }

    // It has no end: its thread holds it as long as the process lives.

    /// Puts the line, which ends with a newline, behind those that wait. Never waits for the reader.
    func write(_ line: String) {
        var line = line
        line.withUTF8 { bytes in
            pthread_mutex_lock(lock)
            defer { pthread_mutex_unlock(lock) }
            // Once one is lost all are, until what waits goes out: so the notice stands where they would.
            guard lost == 0, queue.count + bytes.count <= limit else {
                lost += 1
                return
            }
            queue.append(contentsOf: bytes)
            if isResting { pthread_cond_signal(filled) }
        }
    }

    /// Waits until everything is written, or for so long.
    func flush(within patience: Duration) {
        var deadline = timespec()
        clock_gettime(CLOCK_REALTIME, &deadline)
        let nanoseconds = Int(patience.milliseconds) * 1_000_000 + deadline.tv_nsec
        deadline.tv_sec += nanoseconds / 1_000_000_000
        deadline.tv_nsec = nanoseconds % 1_000_000_000
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        while !queue.isEmpty || isWriting || lost > 0 {
            guard pthread_cond_timedwait(written, lock, &deadline) != ETIMEDOUT else { return }
        }
    }

    // MARK: The thread

    private func run() -> Never {
        OwnThread.leaveSignalsToOthers()
        while true {
            let missing = takeBatch()
            Self.put(batch, to: descriptor)
            if missing > 0 { Self.put(Array(notice(missing).utf8), to: descriptor) }
            batch.removeAll(keepingCapacity: true)
            pthread_mutex_lock(lock)
            isWriting = false
            pthread_cond_broadcast(written)
            pthread_mutex_unlock(lock)
        }
    }

    /// What waits, as soon as there is something, and how many lines were lost behind it.
    private func takeBatch() -> Int {
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        while queue.isEmpty, lost == 0 {
            isResting = true
            pthread_cond_wait(filled, lock)
            isResting = false
        }
        swap(&queue, &batch)
        isWriting = true
        defer { lost = 0 }
        return lost
    }

    /// When it cannot be written there is nobody to tell.
    private static func put(_ bytes: [UInt8], to descriptor: Int32) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if count < 0, errno == EAGAIN {
                // Somebody who shares the descriptor made it so.
                var wanted = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                _ = poll(&wanted, 1, -1)
            } else if count >= 0 || errno != EINTR {
                return
            }
        }
    }
}
