import Synchronization
import VaultBase
import VaultRecords

/// When each connection may be tried again after a failure: exponential with full jitter, never sooner than
/// the provider asked. Kept in memory; a new consent and a success forget it.
final class Backoff: Sendable {
    static let base = Duration.seconds(2)
    static let ceiling = Duration.seconds(600)
    /// Never sooner than this, whatever the dice say.
    static let floor = Duration.seconds(1)
    /// A provider that asks for more is asked again after this.
    static let patience = Duration.seconds(24 * 3600)

    private struct Entry {
        var failures: Int
        var since: Timestamp
        var until: Timestamp
    }
    private let entries = Mutex<[ConnectionName: Entry]>([:])

    /// How long to wait still; nil when it may be tried.
    func wait(_ name: ConnectionName, now: Timestamp) -> Duration? {
        entries.withLock { entries in
            // A clock set back ends a wait rather than stretching it.
            guard let entry = entries[name], now < entry.until, now >= entry.since else { return nil }
            return entry.until - now
        }
    }

    /// Notes a failure; returns when to try again.
    @discardableResult
    func failed(_ name: ConnectionName, now: Timestamp, retryAfter: Duration?) -> Duration {
        entries.withLock { entries in
            let failures = (entries[name]?.failures ?? 0) + 1
            let cap = Duration.doubling(Self.base, times: failures - 1, ceiling: Self.ceiling)
            let dice = Duration.milliseconds(Int64.random(in: 0...cap.milliseconds))
            let wait = max(Self.floor, dice, min(retryAfter ?? .zero, Self.patience))
            entries[name] = Entry(failures: failures, since: now, until: now + wait)
            return wait
        }
    }

    func forget(_ name: ConnectionName) { entries.withLock { $0[name] = nil } }

    /// Drops what ended long ago, so that the table stays as small as the trouble is.
    func prune(now: Timestamp) {
        entries.withLock { entries in
            entries = entries.filter { now < $0.value.until + Self.ceiling && now >= $0.value.since }
        }
    }

    var count: Int { entries.withLock { $0.count } }
}
