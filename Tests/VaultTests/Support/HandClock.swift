import Synchronization
import VaultBase

/// A clock that stands still until a test moves it: time that passes moves the steady clock too, a step does not.
final class HandClock: WallClock {
    static let start = Timestamp(seconds: 1_800_000_000)
    private let time = Mutex((wall: HandClock.start, steady: Duration.zero))

    func now() -> Timestamp { time.withLock { $0.wall } }
    func steady() -> Duration { time.withLock { $0.steady } }
    func step(_ duration: Duration) { time.withLock { $0.wall = $0.wall + duration } }
    func advance(_ duration: Duration) {
        time.withLock { $0 = ($0.wall + duration, $0.steady + duration) }
    }
}
