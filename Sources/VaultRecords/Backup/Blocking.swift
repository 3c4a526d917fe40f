import Glibc
import Synchronization
import VaultBase

/// Runs long work that waits for a disk on a thread of its own, so that none of the few threads that
/// everything else shares stands still meanwhile.
enum Blocking {
    static func run<R: Sendable>(_ body: @escaping @Sendable () throws -> R) async throws -> R {
        try await withCheckedThrowingContinuation { continuation in
            do throws(VaultError) {
                pthread_detach(try OwnThread.start { continuation.resume(with: Result(catching: body)) })
            } catch { continuation.resume(throwing: error) }
        }
    }

    /// The same; `body` can ask whether the caller was cancelled meanwhile.
    static func run<R: Sendable>(
        untilCancelled body: @escaping @Sendable (_ isCancelled: @escaping @Sendable () -> Bool) throws -> R
    ) async throws -> R {
        let flag = Flag()
        return try await withTaskCancellationHandler {
            try await run { try body { flag.isSet } }
        } onCancel: {
            flag.set()
        }
    }

    private final class Flag: Sendable {
        private let value = Atomic(false)
        var isSet: Bool { value.load(ordering: .relaxed) }
        func set() { value.store(true, ordering: .relaxed) }
    }
}

/// A thread that does a part of somebody's work; whoever lets it go waits until it has ended.
struct Helper: ~Copyable {
    private let thread: pthread_t

    init(_ body: @escaping @Sendable () -> Void) throws(VaultError) { thread = try OwnThread.start(body) }

    deinit { pthread_join(thread, nil) }
}
