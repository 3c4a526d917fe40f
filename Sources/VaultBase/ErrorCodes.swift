extension VaultError.Code {
    // The request

    /// A request, argument or value that cannot be understood.
    public static let badRequest = Self("bad-request")
    /// No session, or one that is expired, revoked or forged.
    public static let unauthorized = Self("unauthorized")
    /// Understood, known who asks, and refused.
    public static let forbidden = Self("forbidden")
    /// There is nothing of that name.
    public static let notFound = Self("not-found")
    /// Too many requests; ``VaultError/retryAfter`` says when to come back.
    public static let rateLimited = Self("rate-limited")
    /// Somebody else changed it first, or it exists already.
    public static let conflict = Self("conflict")

    // Platforms and connections

    /// No platform of that name is configured.
    public static let noPlatform = Self("no-platform")
    /// The platform is configured, but its provider is not usable now.
    public static let platformUnavailable = Self("platform-unavailable")
    /// The user has no connection at that platform.
    public static let noConnection = Self("no-connection")
    /// The grant is dead: the user must connect again.
    public static let reconnect = Self("reconnect")
    /// The login cannot be finished and must be started again.
    public static let restartLogin = Self("restart-login")
    /// The provider or the network failed for now; try later.
    public static let retry = Self("retry")
    /// Our registration or settings at the provider are wrong; the operator must act.
    public static let operatorAction = Self("operator")
    /// A redemption's outcome is not known; once the access token has ended, whoever asks for one has it probed.
    public static let uncertain = Self("uncertain")
    /// The provider account belongs to another user of this vault.
    public static let accountInUse = Self("account-in-use")

    // Store and keys

    /// Stored bytes do not open: damaged, moved, or sealed by another key.
    public static let damaged = Self("damaged")
    /// The key does not open this vault.
    public static let wrongKey = Self("wrong-key")
    /// No room: the disk, the map or the quota is full. Reads go on.
    public static let full = Self("full")
    /// The store belongs to another process, or the place cannot hold one.
    public static let locked = Self("locked")
    /// There is no vault at that place, or there is one where none may be.
    public static let noStore = Self("no-store")
    /// The disk failed under a write: whether it happened is not known until the store is reopened.
    public static let unknownOutcome = Self("unknown-outcome")
    /// Made by a newer version of this program.
    public static let newerFormat = Self("newer-format")

    // The program

    /// A setting is missing, unknown or wrong.
    public static let settings = Self("settings")
    /// A plugin cannot be used.
    public static let plugin = Self("plugin")
    /// A file cannot be read or written.
    public static let file = Self("file")
    /// The server is stopping or not there.
    public static let unavailable = Self("unavailable")
    /// Our own mistake.
    public static let `internal` = Self("internal")
}
