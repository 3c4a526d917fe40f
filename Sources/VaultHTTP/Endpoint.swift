import HTTPTypes
import Hummingbird
import VaultBase

/// One endpoint: what `Documentation.docc/HTTP-API` and `/openapi.json` describe under the same names.
struct Endpoint: Sendable {
    typealias Handler = @Sendable (Request, FacadeContext) async throws -> Response

    let method: HTTPRequest.Method
    /// The path with `{platform}` in it; what the access log and the metrics show instead of a URI.
    let path: String
    let handle: Handler

    init(_ method: HTTPRequest.Method, _ path: String, _ handle: @escaping Handler) {
        self.method = method
        self.path = path
        self.handle = handle
    }
}

/// All endpoints of a listener.
struct Endpoints: Sendable {
    let all: [Endpoint]

    /// The methods of the endpoint a path belongs to, in order of name; empty when there is none.
    func methods(at path: String) -> [HTTPRequest.Method] {
        let wanted = path.split(separator: "/")
        func matches(_ template: String, exactly: Bool) -> Bool {
            let parts = template.split(separator: "/")
            return parts.count == wanted.count
                && zip(parts, wanted).allSatisfy { $0 == $1 || !exactly && $0.hasPrefix("{") }
        }
        // A path spelled out comes before one with a name in it, as in the router.
        for exactly in [true, false] {
            let found = all.filter { matches($0.path, exactly: exactly) }.map(\.method)
            if !found.isEmpty { return found.sorted { $0.rawValue < $1.rawValue } }
        }
        return []
    }

    /// A router in which every request, found or not, passes the same middleware, outermost first.
    func router(_ middleware: [any MiddlewareProtocol<Request, Response, FacadeContext>]) -> Router<FacadeContext> {
        let router = Router(context: FacadeContext.self)
        for one in middleware { router.add(middleware: one) }
        for endpoint in all {
            router.on(RouterPath(endpoint.path), method: endpoint.method) { request, context in
                try await endpoint.handle(request, context)
            }
        }
        return router
    }
}
