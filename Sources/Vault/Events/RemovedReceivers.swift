import Logging
import VaultBase
import VaultRecords

extension Vault {
    /// How many events one transaction looks at.
    private static let removalBatch = 256

    /// Gives up what waits for receivers that vault.conf names no more: nobody would ever take it, and it would take
    /// the room of what somebody still has to be told. `vault events --replay` tells it, should they come back.
    func giveUpRemovedReceivers() async throws {
        let known = Set(options.webhooks.map(\.name))
        var given: [String: Int] = [:]
        var cursor: UInt64 = 0
        while true {
            let events = try records.read { try $0.pendingEvents(after: cursor, limit: Self.removalBatch) }
            guard let last = events.last else { break }
            cursor = last.number
            let concerned = events.filter { $0.waits(beyond: known) }
            guard !concerned.isEmpty else { continue }
            let removed: [String] = try await records.write { transaction in
                var removed: [String] = []
                for event in concerned {
                    guard var event = try transaction.event(event.number) else { continue }
                    event.deliveries = event.deliveries?.map { delivery in
                        guard delivery.state == .pending, !known.contains(delivery.receiver) else { return delivery }
                        var delivery = delivery
                        delivery.settle(.dead("removed"), now: transaction.now)
                        removed.append(delivery.receiver)
                        return delivery
                    }
                    try transaction.update(event)
                }
                return removed
            }
            for receiver in removed { given[receiver, default: 0] += 1 }
        }
        for (receiver, count) in given.sorted(by: { $0.key < $1.key }) {
            logger.warning("webhook.removed", metadata: ["webhook": "\(receiver)", "events": "\(count)"])
        }
    }
}

extension EventRecord {
    /// Whether it waits for a receiver that is none of these.
    fileprivate func waits(beyond known: Set<String>) -> Bool {
        deliveries?.contains { $0.state == .pending && !known.contains($0.receiver) } ?? false
    }
}
