public import Logging
public import ServiceLifecycle
public import Vault
public import VaultBase

/// The public listener: the auth endpoints of `Documentation.docc/HTTP-API`, and the demo when enabled.
public struct Facade: Service {
    public struct Options: Sendable {
        public var host = "127.0.0.1"
        public var port = 8000
        public var demo = false
        /// Certificate chain and key, PEM files; nil serves plain HTTP.
        public var tls: (certificates: String, key: String)?
        /// Addresses or networks whose `X-Forwarded-For` counts.
        public var trustedProxies: [String] = []
        /// Origins for CORS, exact.
        public var allowedOrigins: [String] = []
        public var loginsPerMinute = 10
        public var refreshesPerMinute = 20
        public init() {}
    }

    /// - Parameter bound: called with the port once it listens (port 0 asks for a free one).
    public init(
        vault: Vault, options: Options, logger: Logger, bound: @escaping @Sendable (Int) async -> Void = { _ in }
    ) {
        fatalError("stub")
    }

    public func run() async throws { fatalError("stub") }
}
