import Glibc
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

    private final class Work: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
}
