import Synchronization
import VaultBase

/// How far long work is, on standard error, when that is a terminal; nothing at all otherwise.
final class ProgressBar: Sendable {
    /// Work that is done sooner shows no bar.
    private static let patience: Duration = .milliseconds(400)

    private let words: String
    private let isShown: Bool
    private let state: Mutex<State>

    private struct State {
        var lastDrawn: ContinuousClock.Instant
        var drawn = false
    }

    init(_ words: String, isTerminal: Bool = Terminal.errorIsTerminal) {
        self.words = words
        isShown = isTerminal
        state = Mutex(State(lastDrawn: .now))
    }

    func show(_ done: Int, of total: Int) {
        guard isShown else { return }
        state.withLock { state in
            let wait: Duration = state.drawn ? .milliseconds(100) : Self.patience
            guard state.lastDrawn.duration(to: .now) >= wait else { return }
            state.lastDrawn = .now
            state.drawn = true
            try? Terminal.write("\r" + Self.line(words, done, total), to: 2)
        }
    }

    /// Takes the bar away.
    func end() {
        state.withLock { state in
            guard state.drawn else { return }
            state.drawn = false
            try? Terminal.write("\r\u{1B}[K", to: 2)
        }
    }

    static func line(_ words: String, _ done: Int, _ total: Int) -> String {
        guard total > 0 else { return "\(words)  \(done)" }
        let part = min(1, max(0, Double(done) / Double(total)))
        let full = Int(part * 30)
        return "\(words)  \(String(repeating: "█", count: full))\(String(repeating: "░", count: 30 - full))  "
            + "\(Int(part * 100))%  \(done)/\(total)"
    }
}
