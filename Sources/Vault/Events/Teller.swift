import VaultBase
import VaultCrypto
import VaultRecords

/// Makes events, in the transaction of what they tell of, and rings once that is durable.
struct Teller: Sendable {
    /// How long an event can be looked up and told again.
    let keep: Duration
    /// How many events there may be.
    let limit: Int
    let bell = Bell()

    /// Who asked, when it was a command.
    static let operatorName = "operator"

    init(_ options: VaultOptions) {
        keep = options.eventKeep
        limit = options.eventLimit
    }

    func tell(
        _ kind: EventRecord.Kind, _ connection: Connection, _ facts: EventRecord.Facts = .init(),
        in transaction: RecordsTransaction
    ) throws {
        try tell(kind, connection.name, facts, in: transaction)
    }

    func tell(
        _ kind: EventRecord.Kind, _ name: ConnectionName, _ facts: EventRecord.Facts = .init(),
        in transaction: RecordsTransaction
    ) throws {
        let event = EventRecord(
            id: "evt_" + Hex.encode(Random.bytes(16)), kind: kind, user: name.user, platform: name.platform,
            at: transaction.now, endsAt: transaction.now + keep, facts: facts)
        try transaction.tell(event, limit: limit)
    }

    /// Tells what a change of a connection's health means; nothing when it says what it said before.
    func tellChange(from old: Health, to connection: Connection, in transaction: RecordsTransaction) throws {
        switch (old, connection.health) {
        case (.reconnect, .reconnect), (.uncertain, .uncertain): break
        case (_, .reconnect(let reason)):
            try tell(.reconnectNeeded, connection, .init(reason: reason), in: transaction)
        case (_, .uncertain): try tell(.uncertain, connection, in: transaction)
        case (.reconnect, .healthy), (.uncertain, .healthy), (.operatorAction, .healthy):
            try tell(.refreshedAfterFailure, connection, in: transaction)
        default: break
        }
    }

    /// Tells of a grant that somebody brought: that it is there and, where so, what is wrong with it.
    ///
    /// - Parameter doubt: why it is `uncertain`, if it is.
    func tellBrought(
        _ connection: Connection, by: String, doubt: String? = nil, in transaction: RecordsTransaction
    ) throws {
        try tell(.connected, connection, .init(by: by), in: transaction)
        switch connection.health {
        case .reconnect(let reason):
            try tell(.reconnectNeeded, connection, .init(reason: reason, by: by), in: transaction)
        case .uncertain: try tell(.uncertain, connection, .init(reason: doubt, by: by), in: transaction)
        case .healthy, .expiring, .operatorAction: break
        }
    }

    /// Call it when a transaction that may have told something is durable.
    func ring() { bell.ring() }
}

/// Wakes one waiter, at once or the next time it waits.
final class Bell: Sendable {
    private let rings: AsyncStream<Void>
    private let feed: AsyncStream<Void>.Continuation

    init() { (rings, feed) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1)) }

    func ring() { feed.yield() }

    /// Returns when it was rung since the last time, when the time is up, or when the task is cancelled.
    func wait(atMost limit: Duration) async {
        let timer = Task { [feed] in
            guard (try? await Task.sleep(for: limit)) != nil else { return }
            feed.yield()
        }
        defer { timer.cancel() }
        var rings = rings.makeAsyncIterator()
        _ = await rings.next()
    }
}
