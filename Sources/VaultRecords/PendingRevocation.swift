public import VaultBase

/// Tokens of a connection that is no more, kept because their provider could not be told yet: until it was, or
/// the time for it is over.
public struct PendingRevocation: Sendable, Equatable {
    public var user: UserID
    public var platform: PlatformName
    /// The provider account; empty when it was never known.
    public var subject: String
    public var accessToken: Secret
    public var refreshToken: Secret?
    public var attempts: Int
    public var nextAt: Timestamp
    /// When it is given up and the tokens go.
    public var endsAt: Timestamp

    public init(
        user: UserID, platform: PlatformName, subject: String, accessToken: Secret, refreshToken: Secret?,
        attempts: Int = 0, nextAt: Timestamp, endsAt: Timestamp
    ) {
        self.user = user
        self.platform = platform
        self.subject = subject
        self.accessToken = accessToken
        self.refreshToken = refreshToken
        self.attempts = attempts
        self.nextAt = nextAt
        self.endsAt = endsAt
    }
}
