import Logging
import VaultBase
import VaultProviders
public import VaultRecords

/// What brings events from the store to the log and to the receivers.
struct Outbox: Sendable {
    let herald: Herald
    let couriers: [Courier]
    let bell: Bell

    /// How long until it looks all the same, should a ring be lost with a process.
    static let rest = Duration.seconds(30)

    /// Hands out what is new, and lets the couriers know.
    func handOut() async throws {
        guard try await herald.handOut() > 0 else { return }
        for courier in couriers { courier.bell.ring() }
    }
}

extension Vault {
    /// Tells everybody again who could not be told of the event or, if there is none, everybody who was.
    ///
    /// - Throws: `not-found`.
    public func replay(_ id: String) async throws -> EventRecord {
        let replayed: EventRecord? = try await records.write { transaction in
            guard var event = try transaction.events(limit: .max).first(where: { $0.id == id }) else { return nil }
            let anyDead = event.isDead
            event.deliveries = event.deliveries?.map { delivery in
                guard delivery.state == .dead || !anyDead && delivery.state == .delivered else { return delivery }
                return EventRecord.Delivery(
                    receiver: delivery.receiver, since: transaction.now, nextAt: transaction.now)
            }
            try transaction.update(event)
            return event
        }
        guard let replayed else {
            throw VaultError(.notFound, "there is no event \(id)", hint: "see those there are with: vault events")
        }
        logger.notice("event.replayed", metadata: ["event": "\(id)"])
        for courier in outbox.couriers { await courier.rewind(to: replayed.number) }
        return replayed
    }
}
