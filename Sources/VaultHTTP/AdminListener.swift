import HTTPTypes
import Hummingbird
public import Logging
import Metrics
import NIOCore
public import ServiceLifecycle
public import Vault
import VaultBase

/// The operator's listener: `/metrics`, `/healthz`, `/readyz`.
///
/// It knows no secret and asks for none: keep it on loopback, or behind a network that is the operator's.
public struct AdminListener: Service {
    private let vault: Vault
    private let host: String
    private let port: Int
    private let metrics: @Sendable () async -> String
    private let readiness: Readiness
    private let logger: Logger
    private let bound: @Sendable (Int) async -> Void

    /// - Parameters:
    ///   - metrics: renders the Prometheus text.
    ///   - readiness: the public listener's.
    ///   - bound: called with the port once it listens (port 0 asks for a free one).
    public init(
        vault: Vault, host: String, port: Int, metrics: @escaping @Sendable () async -> String,
        readiness: Readiness, logger: Logger,
        bound: @escaping @Sendable (Int) async -> Void = { _ in }
    ) {
        self.vault = vault
        self.host = host
        self.port = port
        self.metrics = metrics
        self.readiness = readiness
        self.logger = logger
        self.bound = bound
    }

    public func run() async throws {
        if !Facade.Options.isLoopback(host) {
            logger.warning("the admin listener is not on loopback", metadata: ["host": .string(host)])
        }
        try await application().run()
    }

    /// A few monitors, and no room for more.
    private static let limits: ListenerLimits = {
        var limits = ListenerLimits()
        limits.connections = 256
        return limits
    }()

    func application() throws -> Application<RouterResponder<FacadeContext>> {
        let endpoints = Endpoints(all: [metricsEndpoint, healthEndpoint, readinessEndpoint])
        let bound = bound
        return Application(
            router: endpoints.router([Problems(endpoints: endpoints)]),
            server: Listener.server(
                nil, Self.limits, proxies: try TrustedProxies([]), metrics: NOOPMetricsHandler.instance),
            configuration: .init(address: .hostname(host, port: port)),
            onServerRunning: { channel in await bound(channel.localAddress?.port ?? 0) },
            logger: Listener.logger(logger))
    }

    private var metricsEndpoint: Endpoint {
        Endpoint(.get, "/metrics") { _, _ in
            Response(
                status: .ok, headers: [.contentType: "text/plain; version=0.0.4; charset=utf-8"],
                body: .init(byteBuffer: ByteBuffer(string: await self.metrics())))
        }
    }

    /// Alive: whoever can answer this is.
    private var healthEndpoint: Endpoint {
        Endpoint(.get, "/healthz") { _, _ in .json(JSONText.object { $0.field("status", "alive") }) }
    }

    /// Ready: the store can be read and requests are taken. A platform that is not usable is named, but the others
    /// serve.
    private var readinessEndpoint: Endpoint {
        Endpoint(.get, "/readyz") { _, context in
            var reasons: [(what: String, reason: String)] = []
            do {
                _ = try self.vault.connections(of: UserID("readiness"))
            } catch {
                context.logger.error("the store cannot be read", metadata: ["cause": .string("\(error)")])
                reasons.append(("store", (error as? VaultError)?.code.name ?? VaultError.Code.internal.name))
            }
            let stage = self.readiness.stage
            if stage != .serving { reasons.append(("listener", stage.rawValue)) }
            let ready = reasons.isEmpty
            reasons += self.vault.platforms.entries.compactMap { entry in
                entry.fault.map { ("platforms.\(entry.name)", $0.code.name) }
            }
            let body = JSONText.object {
                $0.field("status", ready ? "ready" : "not-ready")
                $0.array("reasons", reasons) {
                    $0.field("what", $1.what)
                    $0.field("reason", $1.reason)
                }
            }
            var response = Response.json(body)
            if !ready { response.status = .serviceUnavailable }
            return response
        }
    }
}
