import Logging
import Synchronization
import VaultBase
import VaultRecords

/// Takes each new event once: decides which receivers get it, then writes it to the log and counts it.
///
/// What is logged is committed, so a store that fails repeats no line. A process that dies between the two loses the
/// line, and not the event: `vault events` has it.
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
            if !new.isEmpty { made += try await handOut(new) }
            for event in new {
                observation.event(event.kind)
                logger.notice("\(event.kind.name)", metadata: event.metadata)
            }
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
