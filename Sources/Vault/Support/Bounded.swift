import Synchronization

/// Runs `work` detached and waits for it no longer than `limit`, also when `work` ignores its cancellation.
///
/// - Returns: nil when the time was up; `work` is then cancelled and its result dropped.
func bounded<R: Sendable>(_ limit: Duration, _ work: @escaping @Sendable () async -> R) async -> R? {
    let race = Race<R>()
    let worker = Task.detached { race.finish(await work()) }
    let timer = Task.detached {
        try? await Task.sleep(for: limit)
        race.finish(nil)
    }
    let result = await withCheckedContinuation { race.wait($0) }
    timer.cancel()
    if result == nil { worker.cancel() }
    return result
}

/// Resumes one waiter once, with whatever comes first.
private final class Race<R: Sendable>: Sendable {
    private enum State {
        case open
        case waiting(CheckedContinuation<R?, Never>)
        case done(R?)
        case closed
    }
    private let state = Mutex(State.open)

    func wait(_ continuation: CheckedContinuation<R?, Never>) {
        let early: R?? = state.withLock { state in
            if case .done(let result) = state {
                state = .closed
                return .some(result)
            }
            state = .waiting(continuation)
            return nil
        }
        if let early { continuation.resume(returning: early) }
    }

    func finish(_ result: R?) {
        let continuation: CheckedContinuation<R?, Never>? = state.withLock { state in
            switch state {
            case .open:
                state = .done(result)
                return nil
            case .waiting(let continuation):
                state = .closed
                return continuation
            case .done, .closed: return nil
            }
        }
        continuation?.resume(returning: result)
    }
}
