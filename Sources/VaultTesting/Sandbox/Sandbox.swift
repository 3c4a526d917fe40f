public import Logging
public import ServiceLifecycle
public import VaultBase

/// An OAuth 2.1 authorization server that never was anybody's: for newcomers, tests and load.
///
/// Not for production: it keeps everything in memory and lets anybody in. Loopback only.
public struct Sandbox: Service {
    public struct Options: Sendable {
        public var port = 8002
        public var clientID = "sandbox"
        public var clientSecret = "sandbox-secret"
        public var redirectURIs: [String] = ["http://127.0.0.1:8000/auth/sandbox/callback"]
        public init() {}
    }

    public init(options: Options, logger: Logger, bound: @escaping @Sendable (Int) async -> Void = { _ in }) {
        fatalError("stub")
    }

    public func run() async throws { fatalError("stub") }
}
