public import VaultBase

/// A back-end caller's key: what it may do, and how it is recognised. The key itself is nowhere.
public struct ServiceKey: Sendable, Equatable {
    /// 8 random bytes in hexadecimal: the public part of the key.
    public var id: String
    /// What people call it: 1 to 64 of `a-z`, `0-9`, `-`, `_` and `.`.
    public var name: String
    /// Keyed BLAKE2b-256 of the secret part.
    public var digest: [UInt8]
    public var actions: Set<Action>
    /// nil for every platform.
    public var platforms: Set<PlatformName>?
    public var createdAt: Timestamp
    /// nil for never.
    public var endsAt: Timestamp?

    /// What a key may do.
    public enum Action: String, Sendable, CaseIterable {
        case readConnections = "read-connections"
        case readToken = "read-token"
        case write
        case delete
        case endSessions = "end-sessions"
    }

    public init(
        id: String, name: String, digest: [UInt8], actions: Set<Action>, platforms: Set<PlatformName>?,
        createdAt: Timestamp, endsAt: Timestamp?
    ) {
        self.id = id
        self.name = name
        self.digest = digest
        self.actions = actions
        self.platforms = platforms
        self.createdAt = createdAt
        self.endsAt = endsAt
    }
}
