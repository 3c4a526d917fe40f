import Synchronization
import VaultBase

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A thread of its own that does one job after the other.
///
/// Waiting for a plugin must not hold up Swift's thread pool; and a child dies with the thread that started it, so
/// that thread has to stay as long as the child is wanted.
final class Worker: Sendable {
    private let queue: Queue

    init() {
        let queue = Queue()
        self.queue = queue
        guard let thread = try? OwnThread.start({ queue.work() }) else {
            preconditionFailure("no thread can be started")
        }
        pthread_detach(thread)
    }

    /// Lets the thread end after the jobs that are queued.
    deinit { queue.close() }

    func run<R: Sendable>(_ job: @escaping @Sendable () -> R) async -> R {
        await withCheckedContinuation { continuation in queue.add { continuation.resume(returning: job()) } }
    }

    /// The same, for who does not wait.
    func start(_ job: @escaping @Sendable () -> Void) { queue.add(job) }

    private final class Queue: @unchecked Sendable {
        // Everything below is guarded by the lock.
        private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
        private let bell = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
        private var jobs: [@Sendable () -> Void] = []
        private var isClosed = false

        init() {
            pthread_mutex_init(lock, nil)
            pthread_cond_init(bell, nil)
        }

        deinit {
            pthread_cond_destroy(bell)
            pthread_mutex_destroy(lock)
            bell.deallocate()
            lock.deallocate()
        }

        func add(_ job: @escaping @Sendable () -> Void) {
            pthread_mutex_lock(lock)
            jobs.append(job)
            pthread_cond_signal(bell)
            pthread_mutex_unlock(lock)
        }

        func close() {
            pthread_mutex_lock(lock)
            isClosed = true
            pthread_cond_signal(bell)
            pthread_mutex_unlock(lock)
        }

        func work() {
            while true {
                pthread_mutex_lock(lock)
                while jobs.isEmpty, !isClosed { pthread_cond_wait(bell, lock) }
                let job = jobs.isEmpty ? nil : jobs.removeFirst()
                pthread_mutex_unlock(lock)
                guard let job else { return }
                job()
            }
        }
    }
}
