import Logging
import VaultBase
import VaultProviders
import VaultRecords

/// Brings one receiver its events, each at least once: takes from its ``DeliveryQueue`` what may go, sends it, and
/// writes what came of it before the next step.
///
/// What failed waits longer each time, never less than the receiver asked for. What came of an attempt and the store
/// does not take is kept in memory and written later; the receiver is not asked again for it.
actor Courier {
    static let timeout = Duration.seconds(15)
    /// With nothing to do, how long until it looks all the same.
    static let rest = Duration.seconds(30)
    /// How long until a store that failed is asked again.
    static let patience = Duration.seconds(5)

    let webhook: Webhook
    let bell = Bell()
    private let records: Records
    private let transport: any WebhookTransport
    private let options: VaultOptions
    private let observation: Observation
    private let logger: Logger
    private var queue = DeliveryQueue()
    /// The last event that was looked at.
    private var cursor: UInt64 = 0
    /// What came of attempts and is not written yet.
    private var unwritten: [UInt64: DeliveryOutcome] = [:]

    init(
        _ webhook: Webhook, records: Records, transport: any WebhookTransport, options: VaultOptions,
        observation: Observation, logger: Logger
    ) {
        self.webhook = webhook
        self.records = records
        self.transport = transport
        self.options = options
        self.observation = observation
        self.logger = logger
        for outcome in ["delivered", "failed", "dead"] { observation.webhook(webhook.name, outcome, by: 0) }
    }

    /// Goes on until it is cancelled. A store that fails is asked again later.
    func run() async {
        while !Task.isCancelled {
            var wait = Self.rest
            do {
                if let next = try await round() {
                    wait = min(wait, max(.milliseconds(10), next - records.now))
                }
            } catch {
                let code = (error as? VaultError)?.code.name ?? "internal"
                logger.error("webhook.stalled", metadata: ["webhook": "\(webhook.name)", "code": "\(code)"])
            }
            await bell.wait(atMost: wait)
        }
    }

    /// Sends what can be sent now; returns when there will be more, as far as is known.
    func round() async throws -> Timestamp? {
        try await withTaskGroup(of: Void.self) { group -> Result<Timestamp?, any Error> in
            while true {
                do {
                    try refill()
                } catch {
                    // What is under way goes on to its end.
                    await group.waitForAll()
                    return .failure(error)
                }
                while !Task.isCancelled, let number = queue.take(records.now) {
                    group.addTask { await self.deliver(number) }
                }
                guard await group.next() != nil else { return .success(queue.nextAt) }
            }
        }.get()
    }

    /// Looks again at events from `number` on: one of them is to be told again.
    func rewind(to number: UInt64) {
        cursor = min(cursor, number - 1)
        queue.forget(from: number)
        bell.ring()
    }

    private func refill() throws {
        while queue.room > 0 {
            let (from, limit, known) = (cursor, queue.room, queue.numbers)
            let events = try records.read { try $0.pendingEvents(after: from, limit: limit) }
            guard !events.isEmpty else { return }
            for event in events {
                // Nobody knows yet who gets this one: it is looked at again once that is written.
                guard let deliveries = event.deliveries else { return }
                cursor = event.number
                guard !known.contains(event.number),
                    let mine = deliveries.first(where: { $0.receiver == webhook.name && $0.state == .pending })
                else { continue }
                let name = ConnectionName(user: event.user, platform: event.platform)
                queue.add(event.number, of: name, nextAt: mine.nextAt)
            }
        }
    }

    // MARK: One attempt

    private func deliver(_ number: UInt64) async {
        defer { queue.putBack(number) }
        do {
            try await attempt(number)
        } catch {
            queue.postpone(number, to: records.now + Self.patience)
            let code = (error as? VaultError)?.code.name ?? "internal"
            logger.error(
                "webhook.stalled",
                metadata: [
                    "webhook": "\(webhook.name)", "code": "\(code)", "unwritten": "\(unwritten.count)",
                ])
        }
    }

    private func attempt(_ number: UInt64) async throws {
        let event = try records.read { try? $0.event(number) }
        guard let event, let mine = event.deliveries?.first(where: { $0.receiver == webhook.name }),
            mine.state == .pending
        else {
            // It had to make room for newer ones, or it does not open.
            queue.remove(number)
            unwritten[number] = nil
            if event == nil { observation.webhook(webhook.name, "dropped") }
            return
        }
        if let outcome = unwritten[number] { return try await settle(event, outcome) }
        let now = records.now
        guard now - mine.since < options.eventPatience else { return try await settle(event, .dead("expired")) }
        let answer = await send(event, at: records.clock.now())
        let outcome = DeliveryOutcome(answer, now: records.clock.now())
        queue.note(outcome, records.now)
        unwritten[number] = outcome
        try await settle(event, outcome)
    }

    /// nil when no answer came in time.
    private func send(_ event: EventRecord, at now: Timestamp) async -> Result<ProviderAnswer, ProviderFailure>? {
        let request = webhook.request(event.body(frontend: options.frontendURL), id: event.id, at: now)
        let (carrier, receiver) = (transport, webhook)
        return await bounded(Self.timeout * 2) { () -> Result<ProviderAnswer, ProviderFailure> in
            do throws(ProviderFailure) {
                return .success(try await carrier.post(request, to: receiver, timeout: Self.timeout))
            } catch {
                return .failure(error)
            }
        }
    }

    private func settle(_ event: EventRecord, _ outcome: DeliveryOutcome) async throws {
        let (name, number) = (webhook.name, event.number)
        let now = records.now
        let settled: EventRecord.Delivery? = try await records.write(for: .saving) { transaction in
            guard var event = try transaction.event(number),
                let index = event.deliveries?.firstIndex(where: { $0.receiver == name }),
                var mine = event.deliveries?[index]
            else { return nil }
            mine.settle(outcome, now: now)
            event.deliveries?[index] = mine
            try transaction.update(event)
            return mine
        }
        unwritten[number] = nil
        guard let settled else { return queue.remove(number) }
        report(event, settled)
        guard settled.state == .pending else { return queue.remove(number) }
        queue.postpone(number, to: settled.nextAt)
    }

    private func report(_ event: EventRecord, _ mine: EventRecord.Delivery) {
        let metadata: Logger.Metadata = [
            "webhook": "\(webhook.name)", "event": "\(event.id)", "attempts": "\(mine.attempts)",
            "code": "\(mine.code ?? "ok")",
        ]
        switch mine.state {
        case .delivered:
            observation.webhook(webhook.name, "delivered")
            logger.debug("webhook.delivered", metadata: metadata)
        case .pending:
            observation.webhook(webhook.name, "failed")
            logger.warning("webhook.failed", metadata: metadata)
        case .dead:
            observation.webhook(webhook.name, "dead")
            logger.error("webhook.dead", metadata: metadata)
        }
    }
}
