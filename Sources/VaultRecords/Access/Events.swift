import VaultBase
import VaultCrypto
import VaultStore

extension RecordsTransaction {
    /// Keeps an event, in the transaction of what it tells of.
    ///
    /// - Parameter limit: how many events there may be, told ones included; the oldest makes room.
    public func tell(_ event: EventRecord, limit: Int) throws {
        var event = event
        if state[.events].count >= limit, let key = try firstEvent() { try remove(.events, key) }
        event.number = state.sequence + 1
        try put(event)
    }

    /// Writes how far telling has come; nothing when the event is gone.
    public func update(_ event: EventRecord) throws {
        guard try stamp(.events, Key.event(event.number)) != nil else { return }
        try put(event)
    }

    private func put(_ event: EventRecord) throws {
        let key = Key.event(event.number)
        let agenda = event.isPending ? [Agenda.delivery(of: key)] : []
        try set(.events, key, endsAt: event.endsAt, agenda: agenda) { event.write(&$0) }
    }

    private func firstEvent() throws -> [UInt8]? {
        var found: [UInt8]?
        try transaction.scan(.events, from: RawSpan()) { key, _ in
            found = key.withUnsafeBytes { Array($0) }
            return false
        }
        return found
    }
}

extension RecordsView {
    /// - Throws: `damaged` when it does not open.
    public func event(_ number: UInt64) throws -> EventRecord? { try openEvent(Key.event(number)) }

    func openEvent(_ key: [UInt8]) throws -> EventRecord? {
        try open(.events, key) { payload, header in try key.withUnsafeBytes { try EventRecord(payload, $0, header) } }
    }

    /// Events that somebody still has to be told, in order; those that do not open are passed over.
    ///
    /// - Parameter number: only those after this one.
    public func pendingEvents(after number: UInt64 = 0, limit: Int) throws -> [EventRecord] {
        let lead = Agenda.delivery.lead
        var found: [EventRecord] = []
        try transaction.scan(.due, from: (lead + Key.event(number + 1)).span.bytes) { entry, _ in
            let key: [UInt8]? = entry.withUnsafeBytes { $0.starts(with: lead) ? Array($0.dropFirst(1)) : nil }
            guard let key, found.count < limit else { return false }
            if let event = try? openEvent(key) { found.append(event) }
            return true
        }
        return found
    }

    /// How many events somebody still has to be told, counted up to `limit`.
    public func pendingEventCount(limit: Int) throws -> Int {
        let lead = Agenda.delivery.lead
        var count = 0
        try transaction.scan(.due, from: lead.span.bytes) { entry, _ in
            guard count < limit, entry.withUnsafeBytes({ $0.starts(with: lead) }) else { return false }
            count += 1
            return true
        }
        return count
    }

    /// All events, in order, from `number` on; those that do not open are passed over.
    public func events(from number: UInt64 = 0, limit: Int) throws -> [EventRecord] {
        var found: [EventRecord] = []
        try transaction.scan(.events, from: Key.event(number).span.bytes) { key, _ in
            guard found.count < limit else { return false }
            if let event = try? openEvent(key.withUnsafeBytes { Array($0) }) { found.append(event) }
            return true
        }
        return found
    }
}
