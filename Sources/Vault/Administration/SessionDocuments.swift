import VaultBase
import VaultRecords

/// A session that was issued.
public struct SessionDocument: Codable, Sendable, Equatable, CustomStringConvertible, CustomReflectable {
    public var user: String
    /// The JWT.
    public var session: String
    public var expiresAt: String

    /// Names the user; never the JWT.
    public var description: String { "session of \(user)" }
    public var customMirror: Mirror { Mirror(self, children: ["user": user, "expiresAt": expiresAt]) }
}

/// A session that holds, without what proves it.
public struct HeldSessionDocument: Codable, Sendable, Equatable {
    public var user: String
    /// The JWT's `jti`.
    public var id: String
    public var createdAt: String
    public var expiresAt: String

    /// - Parameter outside: makes of the vault's time what the wall clock shows, as where a session is issued.
    init(_ session: SessionRecord, outside: (Timestamp) -> Timestamp) {
        user = session.user.rawValue
        id = session.id
        createdAt = outside(session.createdAt).iso8601
        expiresAt = outside(session.endsAt).iso8601
    }
}
