import VaultBase
public import VaultRecords

extension LocalAdministration {
    /// All that is kept, in pages, so that a long list holds no transaction.
    func listEvents(
        dead: Bool, _ event: @escaping @Sendable (AdministrativeEvent) async throws -> Void
    ) async throws {
        var next: UInt64 = 0
        while true {
            let from = next
            let page = try vault.records.read { try $0.events(from: from, limit: 256) }
            guard let last = page.last else { return }
            for one in page where one.isDead || !dead { try await event(.happening(EventDocument(one))) }
            next = last.number + 1
        }
    }
}

/// Something that happened, and who was told.
public struct EventDocument: Codable, Sendable, Equatable {
    public var id: String
    public var type: String
    public var at: String
    public var user: String
    public var platform: String
    public var reason: String?
    public var grantEndsAt: String?
    public var missingScope: String?
    public var revoked: String?
    public var by: String?
    /// Empty when no webhook wants it; nil before it was handed out.
    public var deliveries: [Delivery]?

    public struct Delivery: Codable, Sendable, Equatable {
        public var webhook: String
        /// `pending`, `delivered` or `dead`.
        public var state: String
        public var attempts: Int
        /// When it is tried next; nil unless it is pending.
        public var nextAt: String?
        /// How the last attempt failed.
        public var code: String?
    }

    public init(_ event: EventRecord) {
        id = event.id
        type = event.kind.name
        at = event.at.iso8601
        user = event.user.rawValue
        platform = event.platform.rawValue
        reason = event.facts.reason
        grantEndsAt = event.facts.grantEndsAt?.iso8601
        missingScope = event.facts.missingScope
        revoked = event.facts.revoked
        by = event.facts.by
        deliveries = event.deliveries?.map { delivery in
            Delivery(
                webhook: delivery.receiver, state: "\(delivery.state)", attempts: delivery.attempts,
                nextAt: delivery.state == .pending ? delivery.nextAt.iso8601 : nil, code: delivery.code)
        }
    }
}
