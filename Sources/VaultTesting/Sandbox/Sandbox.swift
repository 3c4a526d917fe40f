import Hummingbird
public import Logging
public import ServiceLifecycle
public import VaultBase

/// An OAuth 2.1 authorization server that never was anybody's: for newcomers, tests and load.
///
/// Not for production: it keeps everything in memory and lets anybody in. It listens on 127.0.0.1 and
/// nowhere else. It keeps the rules of OAuth 2.1 that a client can notice: PKCE S256, exact redirect URIs,
/// codes used once, refresh tokens rotated with the family revoked on reuse, and `iss` in every callback
/// (RFC 9207). ``Control`` tells it to misbehave and reads its ledger; `/control`, `/grants` and
/// `/ledger` do the same over HTTP.
public struct Sandbox: Service {
    public struct Options: Sendable {
        /// Default: 8002; 0 asks for a free one.
        public var port = 8002
        public var clientID = "sandbox"
        public var clientSecret = "sandbox-secret"
        /// Compared exactly (OAuth 2.1 §2.3.1), but a loopback address may come with any port (RFC 8252 §7.3).
        public var redirectURIs: [String] = ["http://127.0.0.1:8000/auth/sandbox/callback"]
        /// The application's name on the pages.
        public var clientName = "Vault demo"
        /// More clients, for a second platform beside the first.
        public var clients: [Client] = []
        /// What its pages are headed with. Default: `Sandbox`.
        public var title = "Sandbox"
        /// Where it says it is. Default: `http://127.0.0.1:` and the port it got.
        public var issuer: String?
        /// How long an access token lives. Default: an hour.
        public var accessTokenLifetime: Duration = .seconds(3600)
        /// How long a code lives. Default: a minute.
        public var codeLifetime: Duration = .seconds(60)
        /// The time it goes by; tests hand in one they move by hand.
        public var clock: any WallClock = SystemClock()
        public init() {}
    }

    /// Who may ask for grants: a confidential client, which proves itself by HTTP Basic or in the body.
    public struct Client: Codable, Sendable, Equatable {
        public var id: String
        public var secret: String
        public var name: String
        public var redirectURIs: [String]
        /// For the part that gives tokens to browsers: what the client's JWTs are checked with (PEM), and their `kid`.
        public var publicKey: String?
        public var keyID: String?

        public init(
            id: String, secret: String, name: String, redirectURIs: [String], publicKey: String? = nil,
            keyID: String? = nil
        ) {
            self.id = id
            self.secret = secret
            self.name = name
            self.redirectURIs = redirectURIs
            self.publicKey = publicKey
            self.keyID = keyID
        }
    }

    /// The same sandbox from inside the process: its misbehaviour, its ledger, grants without pages.
    public let control: Control
    let options: Options
    let logger: Logger
    let bound: @Sendable (Int) async -> Void

    /// - Parameter bound: called with the port once it listens.
    public init(options: Options, logger: Logger, bound: @escaping @Sendable (Int) async -> Void = { _ in }) {
        self.options = options
        self.logger = logger
        self.bound = bound
        control = Control(options: options)
    }

    /// Serves until the service group stops it.
    public func run() async throws { try await application().run() }
}
