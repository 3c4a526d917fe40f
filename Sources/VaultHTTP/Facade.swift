import Hummingbird
public import Logging
import Metrics
import NIOCore
public import ServiceLifecycle
public import Vault
public import VaultBase

/// The public listener: the auth endpoints of `Documentation.docc/HTTP-API`, and the demo when enabled.
public struct Facade: Service {
    /// How it listens and what it allows; every value has the default of `vault.conf`.
    public struct Options: Sendable {
        public var host = "127.0.0.1"
        public var port = 8000
        /// Serve the demo frontend at `/`.
        public var demo = false
        /// Serves HTTP/2 and HTTP/1.1 inside TLS; nil serves plain HTTP.
        public var tls: TLSIdentity?
        /// How long browsers keep to TLS by themselves (RFC 6797); 0 for not telling them. Only with ``tls``.
        public var strictTransportSecurity = Duration.seconds(365 * 86_400)
        /// Room and time for those who connect.
        public var limits = ListenerLimits()
        /// Addresses or networks whose `X-Forwarded-For` or `Forwarded` counts.
        public var trustedProxies: [String] = []
        /// Origins for CORS, exact.
        public var allowedOrigins: [String] = []
        /// For each client address; 0 for no limit.
        public var loginsPerMinute = 10
        /// Browsers sent back by providers, and as many codes and tokens handed in for a session, for each client
        /// address; 0 for no limit.
        public var callbacksPerMinute = 60
        /// For each user; 0 for no limit.
        public var renewalsPerMinute = 20
        /// For each user; 0 for no limit.
        public var refreshesPerMinute = 20
        /// For each service key; 0 for no limit.
        public var serviceCallsPerMinute = 600
        public init() {}

        /// - Throws: `settings` for plain HTTP where others could listen in, and for proxies that are none.
        public func check() throws(VaultError) {
            _ = try TrustedProxies(trustedProxies)
            guard tls == nil, trustedProxies.isEmpty, !Self.isLoopback(host) else { return }
            throw VaultError(
                .settings, "plain HTTP is served on loopback only, not on \(host)",
                hint: "set [tls], or name the proxy in front with trusted-proxies")
        }

        static func isLoopback(_ host: String) -> Bool {
            host == "localhost" || IPAddress(host)?.isLoopback ?? false
        }
    }

    private let vault: Vault
    private let options: Options
    private let logger: Logger
    private let readiness: Readiness
    private let bound: @Sendable (Int) async -> Void

    /// - Parameters:
    ///   - readiness: told when requests are taken and when no more.
    ///   - bound: called with the port once it listens (port 0 asks for a free one).
    public init(
        vault: Vault, options: Options, logger: Logger, readiness: Readiness = Readiness(),
        bound: @escaping @Sendable (Int) async -> Void = { _ in }
    ) {
        self.vault = vault
        self.options = options
        self.logger = logger
        self.readiness = readiness
        self.bound = bound
    }

    /// Serves until it is told to stop; requests in flight are answered first.
    ///
    /// - Throws: `settings` for options that cannot be served.
    public func run() async throws {
        defer { readiness.drain() }
        let application = try application()
        try await withGracefulShutdownHandler {
            try await application.run()
        } onGracefulShutdown: { [readiness] in
            readiness.drain()
        }
    }

    /// - Parameter now: milliseconds that never go back, for the rate limits.
    func application(
        now: @escaping @Sendable () -> Int64 = Facade.monotonicMilliseconds,
        metrics: any MetricsFactory = MetricsSystem.factory
    ) throws -> Application<RouterResponder<FacadeContext>> {
        let parts = try FacadeParts(vault: vault, options: options, now: now)
        let endpoints = Self.endpoints(parts)
        let observation = Observation(metrics: RequestMetrics(factory: metrics), logger: logger)
        let rules = BrowserRules(parts: parts, endpoints: endpoints)
        let router = endpoints.router([
            Edge(
                observation: observation, rules: rules,
                problems: Problems(endpoints: endpoints, frontend: vault.options.frontendURL),
                admission: Admission(parts: parts))
        ])
        let (readiness, bound) = (readiness, bound)
        return Application(
            router: router,
            server: Listener.server(
                options.tls, options.limits, proxies: parts.proxies, metrics: metrics,
                direct: TokensAtHand(parts: parts, rules: rules, observation: observation)),
            configuration: .init(address: .hostname(options.host, port: options.port)),
            onServerRunning: { channel in
                readiness.serve()
                await bound(channel.localAddress?.port ?? 0)
            },
            logger: Listener.logger(logger))
    }

    static func endpoints(_ parts: FacadeParts) -> Endpoints {
        var all = [
            parts.loginEndpoint, parts.browserTokenEndpoint, parts.refreshEndpoint, parts.tokenEndpoint,
            parts.disconnectEndpoint, parts.platformsEndpoint, parts.sessionEndpoint,
            parts.logoutEndpoint, parts.renewEndpoint, parts.codeEndpoint, parts.keySetEndpoint,
            parts.openAPIEndpoint,
        ]
        all += parts.callbackEndpoints + parts.serviceEndpoints
        if parts.options.demo { all += StaticFile.demo.flatMap { [$0.endpoint(.get), $0.endpoint(.head)] } }
        return Endpoints(all: all)
    }

    private static let started = ContinuousClock.now
    static let monotonicMilliseconds: @Sendable () -> Int64 = { (ContinuousClock.now - started).milliseconds }
}
