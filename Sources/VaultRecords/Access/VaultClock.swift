import Synchronization
import VaultBase

/// The clock by which lifetimes are given and judged: the wall clock, but never earlier than the vault's last commit.
///
/// While the wall clock is behind that commit it runs on from there, as fast as a clock that nobody sets: what had
/// ended does not come back, and what is new lives as long as it should. A restart begins at the last commit again.
final class VaultClock: Sendable {
    /// Up to so much behind, in ms, it stands still until the wall clock has caught up.
    private static let tolerance: Int64 = 1000

    private let wall: any WallClock
    /// The latest moment at which this process knows of a commit, in ms.
    private let committed: Atomic<Int64>
    /// What that moment was ahead of the steady clock, in ms.
    private let lead: Atomic<Int64>
    /// Whether the wall clock was seen behind, and did not catch up since.
    private let isBehind = Atomic(false)
    /// How often it was set: a commit of before counts no more.
    private let settings = Atomic(0)

    init(_ wall: any WallClock, committed time: Timestamp) {
        self.wall = wall
        committed = Atomic(time.rawValue)
        lead = Atomic(time.rawValue - wall.steady().milliseconds)
    }

    /// A reading: when it was taken, and under which setting.
    struct Reading: Sendable {
        var now: Timestamp
        fileprivate var setting: Int
    }

    var now: Timestamp {
        let wall = wall.now().rawValue
        let last = committed.load(ordering: .acquiring)
        if wall >= last, !isBehind.load(ordering: .relaxed) { return Timestamp(rawValue: wall) }
        return Timestamp(rawValue: runningOn(wall, last))
    }

    /// The moment that both clocks have reached: nothing may be removed as ended before it.
    var settled: Timestamp { min(wall.now(), now) }

    /// How far it is ahead of the wall clock.
    var ahead: Duration { max(.zero, now - wall.now()) }

    /// A moment of this clock as the wall clock will show it.
    func outside(_ time: Timestamp) -> Timestamp { isBehind.load(ordering: .relaxed) ? time - ahead : time }

    /// For a transaction, which may find a later commit in the store.
    func read(notBefore time: Timestamp) -> Reading {
        Reading(now: max(now, time), setting: settings.load(ordering: .acquiring))
    }

    /// Something was committed at this reading.
    func note(_ reading: Reading) {
        // One that was taken before the clock was set would set it back to what it was.
        guard reading.setting == settings.load(ordering: .acquiring) else { return }
        committed.max(reading.now.rawValue, ordering: .acquiringAndReleasing)
        lead.max(reading.now.rawValue - wall.steady().milliseconds, ordering: .acquiringAndReleasing)
    }

    /// Makes it show `time`, whatever was committed before.
    func set(to time: Timestamp) {
        settings.add(1, ordering: .acquiringAndReleasing)
        lead.store(time.rawValue - wall.steady().milliseconds, ordering: .releasing)
        committed.store(time.rawValue, ordering: .releasing)
        isBehind.store(false, ordering: .releasing)
    }

    private func runningOn(_ wall: Int64, _ last: Int64) -> Int64 {
        guard isBehind.load(ordering: .acquiring) || last - wall > Self.tolerance else { return last }
        let running = max(last, lead.load(ordering: .acquiring) + self.wall.steady().milliseconds)
        isBehind.store(wall < running, ordering: .releasing)
        return max(wall, running)
    }
}
