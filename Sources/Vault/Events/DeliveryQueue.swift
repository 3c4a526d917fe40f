import VaultBase
import VaultRecords

/// What one receiver still has to be told, as far as it was looked at, and which of it may go now.
///
/// Events of one connection go in their order, those of different ones at the same time. A receiver that is down is
/// asked with one event at a time until it answers, so that a long queue is no storm.
struct DeliveryQueue {
    /// How many requests are under way at once.
    static let width = 8
    /// How many events are looked at ahead; the rest waits in the store.
    static let window = 1024
    /// The longest pause of a receiver that is down, unless it asks for a longer one.
    static let pauseCeiling = Duration.seconds(60)

    private struct Item {
        var number: UInt64
        var name: ConnectionName
        var nextAt: Timestamp
        var isUnderWay = false
    }

    /// In the order of events.
    private var items: [Item] = []
    private var failures = 0
    private var pausedUntil: Timestamp?

    /// How many more events may be looked at.
    var room: Int { Self.window - items.count }
    var numbers: Set<UInt64> { Set(items.map(\.number)) }

    mutating func add(_ number: UInt64, of name: ConnectionName, nextAt: Timestamp) {
        let place = items.lastIndex { $0.number < number }.map { $0 + 1 } ?? 0
        items.insert(Item(number: number, name: name, nextAt: nextAt), at: place)
    }

    /// The next event that may go: its time has come and none of the same connection is before it.
    mutating func take(_ now: Timestamp) -> UInt64? {
        let longest = DeliveryOutcome.retryAfterLimit
        if let pausedUntil, pausedUntil.isAwaited(at: now, longest: longest) { return nil }
        guard items.count(where: \.isUnderWay) < (failures > 0 ? 1 : Self.width) else { return nil }
        var seen: Set<ConnectionName> = []
        for index in items.indices where seen.insert(items[index].name).inserted {
            guard !items[index].isUnderWay, !items[index].nextAt.isAwaited(at: now, longest: longest) else { continue }
            items[index].isUnderWay = true
            return items[index].number
        }
        return nil
    }

    /// When there is more to be sent; nil when there is nothing. What stands behind another event of its connection
    /// does not count.
    var nextAt: Timestamp? {
        var seen: Set<ConnectionName> = []
        guard let soonest = items.filter({ seen.insert($0.name).inserted }).map(\.nextAt).min() else { return nil }
        return max(soonest, pausedUntil ?? soonest)
    }

    /// The event is no longer under way; it goes again at its time, if it is still there.
    mutating func putBack(_ number: UInt64) {
        if let index = items.firstIndex(where: { $0.number == number }) { items[index].isUnderWay = false }
    }

    mutating func postpone(_ number: UInt64, to time: Timestamp) {
        if let index = items.firstIndex(where: { $0.number == number }) { items[index].nextAt = time }
    }

    mutating func remove(_ number: UInt64) { items.removeAll { $0.number == number } }

    /// Forgets the events from `number` on that are not under way: they are looked at again.
    mutating func forget(from number: UInt64) { items.removeAll { !$0.isUnderWay && $0.number >= number } }

    /// What an attempt says about the receiver.
    mutating func note(_ outcome: DeliveryOutcome, _ now: Timestamp) {
        switch outcome {
        case .delivered, .refused:
            failures = 0
            pausedUntil = nil
        case .down(_, let retryAfter):
            failures += 1
            let pause = Duration.doubling(.seconds(1), times: failures - 1, ceiling: Self.pauseCeiling)
            pausedUntil = now + max(pause, min(retryAfter ?? .zero, DeliveryOutcome.retryAfterLimit))
        case .dead: break
        }
    }
}
