import VaultBase
import VaultRecords

/// What a new service key should be allowed.
public struct ServiceWish: Codable, Sendable, Equatable {
    public var name: String
    /// `read-connections`, `read-token`, `write`, `delete`, `end-sessions`.
    public var actions: [String]
    /// Empty for every platform.
    public var platforms: [String]
    /// Seconds; nil for never.
    public var lifetime: Int64?

    public init(name: String, actions: [String], platforms: [String], lifetime: Int64?) {
        self.name = name
        self.actions = actions
        self.platforms = platforms
        self.lifetime = lifetime
    }
}

/// A service key; with `key` only where it was just made.
public struct ServiceDocument: Codable, Sendable, Equatable, CustomStringConvertible, CustomReflectable {
    public var name: String
    /// The public part: what the log names.
    public var id: String
    public var actions: [String]
    /// Empty for every platform.
    public var platforms: [String]
    public var createdAt: String
    /// nil for never.
    public var expiresAt: String?
    /// The key itself.
    public var key: String?

    /// Its public parts; never the key.
    public var description: String { "service \(name) (\(id))" }
    public var customMirror: Mirror { Mirror(self, children: ["name": name, "id": id]) }

    init(_ service: ServiceKey, token: Secret? = nil) {
        name = service.name
        id = service.id
        actions = service.actions.map(\.rawValue).sorted()
        platforms = service.platforms?.sorted().map(\.rawValue) ?? []
        createdAt = service.createdAt.iso8601
        expiresAt = service.endsAt?.iso8601
        key = token?.reveal()
    }
}
