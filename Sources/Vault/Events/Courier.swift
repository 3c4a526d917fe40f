import Logging
import Synchronization
import VaultBase
import VaultProviders
import VaultRecords

/// Brings one receiver its events: at least once each, those of one connection in their order, some at the same time.
///
/// What failed waits longer each time, never less than the receiver asked for. A receiver that is down is tried
/// with one event at a time until it answers, so that a long queue is no storm. How far each event has come is in
/// the store before the next step.
actor Courier {
    /// How many requests are under way at once.
    static let width = 8
    /// How many events are looked at ahead; the rest waits in the store.
    static let window = 1024
    /// After so many attempts an event is dead.
    static let attempts = 20
    static let base = Duration.seconds(5)
    static let ceiling = Duration.seconds(6 * 3600)
    /// The longest pause of a receiver that is down, unless it asks for a longer one.
    static let pauseCeiling = Duration.seconds(60)
    static let timeout = Duration.seconds(15)
    /// With nothing to do, how long until it looks all the same.
    static let rest = Duration.seconds(30)

    private struct Item {
        var number: UInt64
        var name: ConnectionName
        var nextAt: Timestamp
        var isUnderWay = false
    }

    let webhook: Webhook
    let bell = Bell()
    private let records: Records
    private let transport: any WebhookTransport
    private let options: VaultOptions
    private let observation: Observation
    private let logger: Logger
    /// In the order of events.
    private var queue: [Item] = []
    private var cursor: UInt64 = 0
    private var failures = 0
    private var pausedUntil: Timestamp?

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
    }

    /// Goes on until it is cancelled. A store that fails is asked again later.
    func run() async {
        while !Task.isCancelled {
            var wait = Self.rest
            do {
                if let next = try await round() {
                    wait = min(wait, max(.milliseconds(10), next - records.clock.now()))
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
        try await withThrowingTaskGroup(of: Void.self) { group in
            while true {
                try refill()
                while !Task.isCancelled, let item = take(records.clock.now()) {
                    group.addTask { try await self.deliver(item.number) }
                }
                guard try await group.next() != nil else { return next() }
            }
        }
    }

    /// Looks again at events from `number` on: one of them is to be told again.
    func rewind(to number: UInt64) {
        cursor = min(cursor, number - 1)
        queue.removeAll { !$0.isUnderWay && $0.number >= number }
        bell.ring()
    }

    private func refill() throws {
        while queue.count < Self.window {
            let room = Self.window - queue.count
            let (from, known) = (cursor, Set(queue.map(\.number)))
            let events = try records.read { try $0.pendingEvents(after: from, limit: room) }
            guard !events.isEmpty else { return }
            for event in events {
                // Nobody knows yet who gets this one: it is looked at again once that is written.
                guard let deliveries = event.deliveries else { return }
                cursor = event.number
                guard !known.contains(event.number),
                    let mine = deliveries.first(where: { $0.receiver == webhook.name && $0.state == .pending })
                else { continue }
                let name = ConnectionName(user: event.user, platform: event.platform)
                let place = queue.lastIndex { $0.number < event.number }.map { $0 + 1 } ?? 0
                queue.insert(Item(number: event.number, name: name, nextAt: mine.nextAt), at: place)
            }
        }
    }

    /// The next event that may go: its time has come and none of the same connection is before it.
    private func take(_ now: Timestamp) -> Item? {
        let underWay = queue.count { $0.isUnderWay }
        if let pausedUntil, now < pausedUntil { return nil }
        guard underWay < (failures > 0 ? 1 : Self.width) else { return nil }
        var seen: Set<ConnectionName> = []
        for index in queue.indices where seen.insert(queue[index].name).inserted {
            guard !queue[index].isUnderWay, queue[index].nextAt <= now else { continue }
            queue[index].isUnderWay = true
            return queue[index]
        }
        return nil
    }

    private func next() -> Timestamp? {
        // What stands behind another event of its connection does not count.
        var seen: Set<ConnectionName> = []
        guard let soonest = queue.filter({ seen.insert($0.name).inserted }).map(\.nextAt).min() else { return nil }
        return max(soonest, pausedUntil ?? soonest)
    }

    // MARK: One attempt

    private func deliver(_ number: UInt64) async throws {
        defer { if let index = place(number), queue[index].isUnderWay { queue[index].isUnderWay = false } }
        let event = try records.read { try? $0.event(number) }
        guard let event, let mine = event.deliveries?.first(where: { $0.receiver == webhook.name }),
            mine.state == .pending
        else {
            // It had to make room for newer ones, or it does not open.
            leave(number)
            if event == nil { observation.webhook(webhook.name, "dropped") }
            return
        }
        let now = records.clock.now()
        guard now - mine.since < options.eventPatience else { return try await settle(event, .dead("expired")) }

        let body = event.body(frontend: options.frontendURL)
        let request = webhook.request(body, id: event.id, at: now)
        let (carrier, receiver) = (transport, webhook)
        let answer = await bounded(Self.timeout * 2) { () -> Result<ProviderAnswer, ProviderFailure> in
            do throws(ProviderFailure) {
                return .success(try await carrier.post(request, to: receiver, timeout: Self.timeout))
            } catch {
                return .failure(error)
            }
        }
        try await settle(event, Outcome(answer, now: records.clock.now()))
    }

    /// What an attempt came to.
    private enum Outcome {
        case delivered
        /// This event was refused; others may go.
        case refused(String, retryAfter: Duration?)
        /// The receiver itself is not well.
        case down(String, retryAfter: Duration?)
        case dead(String)

        init(_ answer: Result<ProviderAnswer, ProviderFailure>?, now: Timestamp) {
            switch answer {
            case nil: self = .down("timeout", retryAfter: nil)
            case .failure(let failure): self = .down(failure.code, retryAfter: failure.retryAfter)
            case .success(let answer):
                let (code, wait) = ("http-\(answer.status)", answer.retryAfter(now: now))
                self =
                    switch answer.status {
                    case 200..<300: .delivered
                    // Standard Webhooks: the receiver wants no more of these.
                    case 410: .dead(code)
                    case 408, 425, 429, 500...: .down(code, retryAfter: wait)
                    default: .refused(code, retryAfter: wait)
                    }
            }
        }
    }

    private func settle(_ event: EventRecord, _ outcome: Outcome) async throws {
        let (name, number) = (webhook.name, event.number)
        let now = records.clock.now()
        let settled: EventRecord.Delivery? = try await records.write { transaction in
            guard var event = try transaction.event(number),
                let index = event.deliveries?.firstIndex(where: { $0.receiver == name }),
                var mine = event.deliveries?[index]
            else { return nil }
            switch outcome {
            case .delivered:
                mine.state = .delivered
                mine.attempts += 1
                mine.code = nil
            case .dead(let code):
                mine.state = .dead
                mine.code = code
            case .refused(let code, let wait), .down(let code, let wait):
                mine.attempts += 1
                mine.code = code
                mine.nextAt = now + Self.wait(after: mine.attempts, retryAfter: wait)
                if mine.attempts >= Self.attempts { mine.state = .dead }
            }
            event.deliveries?[index] = mine
            try transaction.update(event)
            return mine
        }
        note(outcome, now)
        guard let settled else { return leave(number) }
        report(event, settled)
        if settled.state != .pending { return leave(number) }
        if let index = place(number) { queue[index].nextAt = settled.nextAt }
    }

    /// What an attempt says about the receiver.
    private func note(_ outcome: Outcome, _ now: Timestamp) {
        switch outcome {
        case .delivered, .refused:
            failures = 0
            pausedUntil = nil
        case .down(_, let retryAfter):
            failures += 1
            let pause = Duration.doubling(.seconds(1), times: failures - 1, ceiling: Self.pauseCeiling)
            pausedUntil = now + max(pause, min(retryAfter ?? .zero, .seconds(86_400)))
        case .dead: break
        }
    }

    /// Exponential, the upper half by chance, never sooner than the receiver asked.
    static func wait(after attempts: Int, retryAfter: Duration?) -> Duration {
        let dice = Duration.doubling(base, times: attempts - 1, ceiling: ceiling).upperHalf
        return max(dice, min(retryAfter ?? .zero, .seconds(86_400)))
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

    private func place(_ number: UInt64) -> Int? { queue.firstIndex { $0.number == number } }
    private func leave(_ number: UInt64) { queue.removeAll { $0.number == number } }
}
