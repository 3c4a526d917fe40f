public import Logging
public import ServiceLifecycle
public import VaultBase
public import VaultProviders
public import VaultRecords

/// The vault: logins, tokens, refreshes and sessions over sealed records.
///
/// Everything a facade or a command does goes through here. As a `Service` it sweeps what ended, refreshes
/// ahead and, when it is told to stop, finishes the redemptions in flight.
public final class Vault: Service {
    public let records: Records
    public let platforms: PlatformDirectory
    public let options: VaultOptions

    public init(
        records: Records, platforms: PlatformDirectory, transport: any Transport, options: VaultOptions, logger: Logger
    ) { fatalError("stub") }

    public func run() async throws { fatalError("stub") }

    // MARK: Tokens

    /// The access token, refreshed only when it is about to expire. The hot path: one read, no hop.
    public func token(for user: UserID, at platform: PlatformName) async throws -> AccessToken { fatalError("stub") }

    /// Always a new redemption; concurrent callers share one.
    public func refresh(_ user: UserID, at platform: PlatformName) async throws -> AccessToken { fatalError("stub") }

    /// Revokes at the provider where that can be done, deletes here always.
    public func disconnect(_ user: UserID, from platform: PlatformName) async throws -> Disconnection {
        fatalError("stub")
    }

    // MARK: Logins

    /// Begins a login: remembers it, bound to the browser by `binding`, and says where to send the browser.
    ///
    /// - Parameters:
    ///   - user: the user to link the platform to, when a session asked; nil makes or finds one.
    ///   - returnTo: must be one of ``VaultOptions/returnTo``.
    ///   - scopes: nil for the platform's own.
    ///   - binding: the browser's binding cookie from an earlier login, when it has one; it is kept, so
    ///     that two logins in two tabs both work.
    public func beginLogin(
        at platform: PlatformName, linking user: UserID?, returnTo: String?, scopes: [String]?, binding: Secret?
    ) async throws -> LoginStart { fatalError("stub") }

    /// Finishes a login from the callback's parameters, in the order they came, repeated ones included.
    ///
    /// Runs to its end whatever becomes of the caller. The same callback from the same browser gets the
    /// same answer.
    /// - Throws: `forbidden` for another browser, an unknown, ended or foreign state: nothing may be
    ///   redirected then. Failures of the login itself are a ``LoginEnd/failed``.
    public func completeLogin(
        at platform: PlatformName, parameters: [(name: String, value: String)], binding: Secret?
    ) async throws -> LoginEnd { fatalError("stub") }

    // MARK: Sessions

    /// A new session for the user and its JWT; what `vault session issue` and a finished login give.
    public func issueSession(for user: UserID) async throws -> IssuedSession { fatalError("stub") }

    /// Checks a JWT (`typ`, `alg`, `kid`, signature, `iss`, `aud`, `exp`, `iat`, `jti`) and that its session is
    /// still in the store.
    /// - Throws: `unauthorized`, always with the same words for every reason a forger could learn from.
    public func session(_ token: Secret) throws -> SessionRecord { fatalError("stub") }

    /// A new session for the same user; the old one ends.
    public func renew(_ session: SessionRecord) async throws -> IssuedSession { fatalError("stub") }

    /// Logs out: the session is worth nothing from now on.
    public func revoke(_ session: SessionRecord) async throws { fatalError("stub") }

    /// The user's connections, for `GET /auth/session` and `vault connections`; without tokens.
    public func connections(of user: UserID) throws -> [Connection] { fatalError("stub") }
}

/// A login that has begun.
public struct LoginStart: Sendable {
    public var authorizationURL: String
    public var expiresAt: Timestamp
    /// The value of the cookie that binds the login to this browser.
    public var binding: Secret
}

/// How a login ended; the facade turns it into a redirect to the frontend.
public enum LoginEnd: Sendable {
    case connected(IssuedSession, returnTo: String?)
    /// `code` is a stable name for the frontend: `access_denied`, `restart-login`, `retry`, `operator`, `account-in-use` …
    case failed(code: String, returnTo: String?)
}

/// A session and the JWT that proves it.
public struct IssuedSession: Sendable {
    public var record: SessionRecord
    public var token: Secret
}

/// An access token as it is handed to a frontend; never with a refresh token.
public struct AccessToken: Sendable {
    public var accessToken: Secret
    public var tokenType: String
    public var expiresAt: Timestamp?
    public var scope: String
}

/// What became of a disconnect.
public struct Disconnection: Sendable {
    public enum Revocation: String, Sendable { case yes, no, unsupported, pending }
    public var deleted: Bool
    public var revoked: Revocation
}
