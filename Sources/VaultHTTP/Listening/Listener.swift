import HummingbirdCore
import Logging
import Metrics

/// What every listener is made of.
enum Listener {
    /// The framework's own log: what it says at `info` we say in our words.
    static func logger(_ logger: Logger) -> Logger {
        var quiet = logger
        if quiet.logLevel == .info { quiet.logLevel = .notice }
        return quiet
    }

    /// HTTP/1.1 with our limits; inside TLS, where there is a certificate, with HTTP/2 besides.
    ///
    /// - Parameters:
    ///   - proxies: whose connections are not one client's.
    ///   - direct: what need not go to the responder.
    static func server(
        _ identity: TLSIdentity?, _ limits: ListenerLimits, proxies: TrustedProxies, metrics: any MetricsFactory,
        direct: TokensAtHand? = nil
    ) -> HTTPServerBuilder {
        let connections = Connections(limits, metrics: metrics) { address in
            // Without TLS, what comes from this machine is a proxy.
            proxies.isTrusted(address) || identity == nil && address.isLoopback
        }
        return HTTPServerBuilder { responder in
            EdgeChannel(
                identity: identity, limits: limits, connections: connections, direct: direct, responder: responder)
        }
    }
}
