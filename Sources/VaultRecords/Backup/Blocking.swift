import Glibc
import Synchronization
import VaultBase

/// Runs long work that waits for a disk on a thread of its own, so that none of the few threads that
/// everything else shares stands still meanwhile.
enum Blocking {
    static func run<R: Sendable>(_ body: @escaping @Sendable () throws -> R) async throws -> R {
        try await withCheckedThrowingContinuation { continuation in
            let work = Unmanaged.passRetained(Work { continuation.resume(with: Result(catching: body)) })
            var thread = pthread_t()
            let result = pthread_create(
                &thread, nil,
                { argument in
                    // The one reference made below, taken once.
                    if let argument { Unmanaged<Work>.fromOpaque(argument).takeRetainedValue().body() }
                    return nil
                }, work.toOpaque())
            if result == 0 {
                pthread_detach(thread)
            } else {
                work.release()
                continuation.resume(throwing: VaultError(.unavailable, "cannot start a thread"))
            }
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

    private final class Work: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
}
