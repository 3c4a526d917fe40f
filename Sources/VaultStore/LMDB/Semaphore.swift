import Glibc

/// Counts signals; a thread waits for one.
final class Semaphore: @unchecked Sendable {
    // Sendable: a POSIX semaphore is made for threads; it only may not move.
    private let raw = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

    init() { sem_init(raw, 0, 0) }

    deinit {
        sem_destroy(raw)
        raw.deallocate()
    }

    func signal() { sem_post(raw) }

    func wait() {
        while sem_wait(raw) != 0 && errno == EINTR {}
    }
}
