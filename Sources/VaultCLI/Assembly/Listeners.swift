import Logging
import ServiceLifecycle
import Vault
import VaultBase
import VaultHTTP

/// What listens: the operator's listener, the public one, and, where it is wanted, one that redirects to it.
struct Listeners {
    let vault: Vault
    let settings: Settings
    let metrics: PrometheusMetrics
    let certificates: CertificateFiles?
    let manager: ServiceManager
    let isTrial: Bool
    let logger: Logger
    /// Called once the public listener takes requests.
    let bound: @Sendable () async -> Void

    /// In the order in which they start.
    func services() throws -> [any Service] {
        let admin = settings[\.admin]
        let readiness = Readiness()
        var services: [any Service] = [
            AdminListener(
                vault: vault, host: admin.host, port: admin.port, metrics: { [metrics] in metrics.render() },
                readiness: readiness, logger: logger
            ) { [logger] port in
                logger.info("metrics and health are ready", metadata: ["url": "http://\(admin.host):\(port)"])
            }
        ]
        if let redirect = settings[\.redirect] {
            services.append(
                try RedirectListener(
                    host: redirect.host, port: redirect.port, publicURL: settings.publicURL, logger: logger
                ) { [logger] port in
                    logger.info("plain http is redirected", metadata: ["from": "\(redirect.host):\(port)"])
                })
        }
        if let certificates { services.append(certificates) }
        services.append(
            Facade(vault: vault, options: options, logger: logger, readiness: readiness) {
                [logger, settings, manager, isTrial, bound] _ in
                logger.notice("ready", metadata: ["url": "\(settings.publicURL)"])
                manager.ready("serving")
                await bound()
                guard Terminal.errorIsTerminal else { return }
                Terminal.say("\nvault is at \(settings.publicURL)")
                Terminal.say(Self.next(settings, isTrial) + "\n")
            })
        return services
    }

    private static func next(_ settings: Settings, _ isTrial: Bool) -> String {
        if settings[\.demo] {
            return "next: open it in a browser\(isTrial ? " and connect at Sandbox" : ""); Ctrl-C stops it"
        }
        return "next: \(settings.publicURL)/auth/platforms lists the platforms; Ctrl-C stops it"
    }

    private var options: Facade.Options {
        var options = Facade.Options()
        options.host = settings[\.listen].host
        options.port = settings[\.listen].port
        options.demo = settings[\.demo]
        options.tls = certificates?.identity
        options.strictTransportSecurity = settings[\.strictTransportSecurity]
        options.trustedProxies = settings[\.trustedProxies]
        options.allowedOrigins = settings.allowedOrigins
        options.loginsPerMinute = settings[\.loginLimit]
        options.callbacksPerMinute = settings[\.callbackLimit]
        options.renewalsPerMinute = settings[\.renewalLimit]
        options.refreshesPerMinute = settings[\.refreshLimit]
        options.serviceCallsPerMinute = settings[\.serviceLimit]
        options.limits.connections = settings[\.connectionLimit]
        options.limits.connectionsPerAddress = settings[\.addressLimit]
        options.limits.headTime = settings[\.headTime]
        options.limits.bodyTime = settings[\.bodyTime]
        options.limits.idleTime = settings[\.idleTime]
        return options
    }
}
