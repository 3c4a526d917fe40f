import HTTPTypes
package import Hummingbird
import Logging
import NIOCore

extension Sandbox {
    /// The server with its routes, for ``run()`` and for tests.
    package func application() -> Application<RouterResponder<SandboxContext>> {
        let router = Router(context: SandboxContext.self)
        router.add(middleware: LoopbackOnly())
        let routes = Routes(control: control, title: options.title)
        routes.addAuthorization(to: router)
        routes.addTokens(to: router)
        routes.addMusic(to: router)
        routes.addDiscovery(to: router)
        routes.addControl(to: router)
        let control = control
        let fixed = options.issuer != nil
        let bound = bound
        // What the framework says at `info`, whoever runs this says in words of their own.
        var quiet = logger
        if quiet.logLevel == .info { quiet.logLevel = .notice }
        return Application(
            responder: router.buildResponder(),
            configuration: .init(address: .hostname("127.0.0.1", port: options.port), serverName: "vault-sandbox"),
            onServerRunning: { channel in
                let port = channel.localAddress?.port ?? 0
                if !fixed { control.issuer = "http://127.0.0.1:\(port)" }
                await bound(port)
            },
            logger: quiet)
    }
}

/// A request's context that can hang up: some of the sandbox's faults close the connection.
package struct SandboxContext: RequestContext {
    package var coreContext: CoreRequestContextStorage
    let channel: any Channel

    package init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        channel = source.channel
    }
}

/// What all routes share.
struct Routes {
    let control: Sandbox.Control
    let title: String
}

/// Refuses a host name that is not this machine's own, against DNS rebinding: the sandbox lets anybody in.
package struct LoopbackOnly: RouterMiddleware {
    package func handle(
        _ request: Request, context: SandboxContext, next: (Request, SandboxContext) async throws -> Response
    ) async throws -> Response {
        guard Self.allows(request.head.authority ?? "") else {
            return .json(["error": "the sandbox answers on 127.0.0.1 only"], status: .misdirectedRequest)
        }
        return try await next(request, context)
    }

    /// - Parameter authority: host and perhaps port, as in the `Host` header; an empty one comes from no browser.
    package static func allows(_ authority: String) -> Bool {
        let host = authority.hasPrefix("[") ? authority.prefix { $0 != "]" } + "]" : authority.prefix { $0 != ":" }
        return ["127.0.0.1", "localhost", "[::1]", ""].contains(host)
    }
}
