import Logging
import Synchronization
import VaultBase
import VaultRecords

/// Takes each new event once: writes it to the log, decides which receivers get it, and counts what waits.
///
/// A process that dies between the log line and the commit writes the line again; the event's id is the same.
actor Herald {
    private let records: Records
    private let observation: Observation
    private let logger: Logger
    private let webhooks: [Webhook]
    /// The last event that was looked at.
    private var cursor: UInt64 = 0

    static let batch = 256

    init(records: Records, webhooks: [Webhook], observation: Observation, logger: Logger) {
        self.records = records
        self.webhooks = webhooks
        self.observation = observation
        self.logger = logger
    }

    /// Hands out what is new; returns how many deliveries that made.
    func handOut() async throws -> Int {
        var made = 0
        while true {
            let events = try records.read { try $0.pendingEvents(after: cursor, limit: Self.batch) }
            guard let last = events.last else { return made }
            let new = events.filter { $0.deliveries == nil }
            for event in new {
                observation.event(event.kind)
                logger.notice("\(event.kind.name)", metadata: event.metadata)
            }
            if !new.isEmpty { made += try await handOut(new) }
            cursor = last.number
        }
    }

    private func handOut(_ new: [EventRecord]) async throws -> Int {
        let webhooks = webhooks
        return try await records.write(for: .saving) { transaction in
            var made = 0
            for event in new {
                guard var event = try transaction.event(event.number) else { continue }
                let wanted = webhooks.filter { $0.kinds.contains(event.kind) }
                event.deliveries = wanted.map {
                    EventRecord.Delivery(receiver: $0.name, since: transaction.now, nextAt: transaction.now)
                }
                made += wanted.count
                try transaction.update(event)
            }
            return made
        }
    }
}
