import Synchronization

/// Holds those who come until it is opened; a test can wait until somebody is there.
final class Gate: Sendable {
    private struct State {
        var isOpen = false
        var held: [CheckedContinuation<Void, Never>] = []
        var arrived = 0
        var watchers: [(count: Int, CheckedContinuation<Void, Never>)] = []
    }
    private let state = Mutex(State())

    func pass() async {
        await withCheckedContinuation { continuation in
            let (isOpen, woken) = state.withLock { state in
                state.arrived += 1
                let woken = state.watchers.filter { $0.count <= state.arrived }.map(\.1)
                state.watchers.removeAll { $0.count <= state.arrived }
                if !state.isOpen { state.held.append(continuation) }
                return (state.isOpen, woken)
            }
            for watcher in woken { watcher.resume() }
            if isOpen { continuation.resume() }
        }
    }

    func open() {
        let held = state.withLock { state in
            state.isOpen = true
            defer { state.held = [] }
            return state.held
        }
        for continuation in held { continuation.resume() }
    }

    /// Returns once `count` have come.
    func waitForArrivals(_ count: Int = 1) async {
        await withCheckedContinuation { continuation in
            let isThere = state.withLock { state in
                if state.arrived >= count { return true }
                state.watchers.append((count, continuation))
                return false
            }
            if isThere { continuation.resume() }
        }
    }
}
