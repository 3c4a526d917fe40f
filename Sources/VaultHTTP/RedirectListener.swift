import HTTPTypes
import Hummingbird
public import Logging
import Metrics
import NIOCore
public import ServiceLifecycle
public import VaultBase

/// Sends browsers that come by plain HTTP to where TLS is: 308 to the same path (RFC 9110 §15.4.9).
///
/// Only where nothing is lost by it. A request that carried a session, or that would change something, has
/// told it to the whole way already: it gets 403, so that whoever wrote `http://` into a program notices.
public struct RedirectListener: Service {
    private let host: String
    private let port: Int
    private let target: String
    private let logger: Logger
    private let bound: @Sendable (Int) async -> Void

    /// - Parameters:
    ///   - publicURL: the vault's own https address; its origin is where everybody is sent.
    ///   - bound: called with the port once it listens (port 0 asks for a free one).
    /// - Throws: `settings` for an address that is not https.
    public init(
        host: String, port: Int, publicURL: String, logger: Logger,
        bound: @escaping @Sendable (Int) async -> Void = { _ in }
    ) throws(VaultError) {
        guard let target = Origins.origin(of: publicURL), target.hasPrefix("https://") else {
            throw VaultError(
                .settings, "\(publicURL) is not https, so nobody can be redirected to it",
                hint: "set public-url to the vault's own https address")
        }
        self.host = host
        self.port = port
        self.target = target
        self.logger = logger
        self.bound = bound
    }

    public func run() async throws {
        let (target, bound) = (target, bound)
        let application = Application(
            responder: CallbackResponder<FacadeContext> { request, context in
                Self.answer(request, context, target)
            },
            server: Listener.server(
                nil, ListenerLimits(), proxies: try TrustedProxies([]), metrics: NOOPMetricsHandler.instance),
            configuration: .init(address: .hostname(host, port: port)),
            onServerRunning: { channel in await bound(channel.localAddress?.port ?? 0) },
            logger: Listener.logger(logger))
        try await application.run()
    }

    static func answer(_ request: Request, _ context: FacadeContext, _ target: String) -> Response {
        let reads = request.method == .get || request.method == .head
        guard reads, request.headers[.authorization] == nil else {
            let problem = Problem(
                VaultError(
                    .forbidden, "this is plain http, which everybody on the way can read",
                    hint: "use \(target), and log in again if a session was sent"))
            return problem.response(requestID: context.id)
        }
        let path = request.uri.path.hasPrefix("/") ? request.uri.path : "/"
        let query = request.uri.query.map { "?\($0)" } ?? ""
        return Response(status: .permanentRedirect, headers: [.location: target + path + query])
    }
}
