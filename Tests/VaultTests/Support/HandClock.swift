import Synchronization
import VaultBase

/// A clock that stands still until a test moves it.
final class HandClock: WallClock {
    static let start = Timestamp(seconds: 1_800_000_000)
    private let time = Mutex(HandClock.start)

    func now() -> Timestamp { time.withLock { $0 } }
    func advance(_ duration: Duration) { time.withLock { $0 = $0 + duration } }
}
