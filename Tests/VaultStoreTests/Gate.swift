import Glibc
import Synchronization

/// Steps that threads pass in a given order.
final class Gate: Sendable {
    private let step = Mutex(0)

    func pass(_ number: Int) { step.withLock { $0 = max($0, number) } }

    func hasPassed(_ number: Int) -> Bool { step.withLock { $0 >= number } }

    /// Blocks the thread until step `number` was passed.
    func wait(for number: Int) {
        while step.withLock({ $0 < number }) { usleep(200) }
    }
}

/// Runs `body` on a thread of its own, so that it may block.
func onThread<R: Sendable>(_ body: @escaping @Sendable () throws -> R) async throws -> R {
    try await withCheckedThrowingContinuation { caller in
        let job = Unmanaged.passRetained(Job { caller.resume(with: Result { try body() }) })
        var thread = pthread_t()
        pthread_create(
            &thread, nil,
            { context in
                Unmanaged<Job>.fromOpaque(context!).takeRetainedValue().body()
                return nil
            }, job.toOpaque())
        pthread_detach(thread)
    }
}

private final class Job {
    let body: () -> Void
    init(_ body: @escaping () -> Void) { self.body = body }
}
