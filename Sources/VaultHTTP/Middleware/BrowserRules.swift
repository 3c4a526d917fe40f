import HTTPTypes
import Hummingbird
import Vault

/// What a browser is told about every answer: who may read it, that nobody may keep it, and that it is
/// neither a page to frame nor a script to sniff.
struct BrowserRules: RouterMiddleware {
    private let parts: FacadeParts
    private let endpoints: Endpoints
    /// What stands in every answer, and no route sets.
    private let always: [HTTPField]

    init(parts: FacadeParts, endpoints: Endpoints) {
        self.parts = parts
        self.endpoints = endpoints
        var always = [
            // Answers differ by origin, so a cache between must know.
            HTTPField(name: .vary, value: "Origin"), HTTPField(name: .referrerPolicy, value: "no-referrer"),
            HTTPField(name: .xContentTypeOptions, value: "nosniff"),
            HTTPField(name: .crossOriginResourcePolicy, value: "same-origin"),
        ]
        let seconds = parts.options.strictTransportSecurity.components.seconds
        if parts.options.tls != nil, seconds > 0 {
            always.append(HTTPField(name: .strictTransportSecurity, value: "max-age=\(seconds)"))
        }
        self.always = always
    }

    func handle(
        _ request: Request, context: FacadeContext, next: (Request, FacadeContext) async throws -> Response
    ) async throws -> Response {
        let origin = request.headers[.origin]
        // What service keys open is for back ends: no page may read it.
        let isForPages = !request.uri.path.hasPrefix("/v1/")
        let reader = origin.flatMap { isForPages && parts.origins.mayRead($0) ? $0 : nil }
        var response: Response
        if request.method == .options, origin != nil, request.headers[.accessControlRequestMethod] != nil {
            context.coreContext.endpointPath.value = "preflight"
            response = preflight(request, from: reader)
        } else {
            response = try await next(request, context)
        }
        if let reader {
            response.headers[.accessControlAllowOrigin] = reader
            if takesCookies(request.uri.path) { response.headers[.accessControlAllowCredentials] = "true" }
            response.headers[.accessControlExposeHeaders] =
                "Retry-After, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset, X-Request-Id"
        }
        harden(&response.headers)
        return response
    }

    /// Where a page of another origin has to send or get cookies: the login's, and the session's where it is one.
    private func takesCookies(_ path: String) -> Bool {
        parts.vault.options.sessionDelivery == .cookie || path.hasSuffix("/login") || path.hasSuffix("/browser-token")
            || path == "/auth/session/code"
    }

    private func preflight(_ request: Request, from reader: String?) -> Response {
        let methods = endpoints.methods(at: request.uri.path)
        guard reader != nil, !methods.isEmpty else { return Response(status: .noContent) }
        return Response(
            status: .noContent,
            headers: [
                .accessControlAllowMethods: methods.map(\.rawValue).joined(separator: ", "),
                .accessControlAllowHeaders: "Authorization, Content-Type, X-Vault-CSRF",
                .accessControlMaxAge: "600",
            ])
    }

    private func harden(_ headers: inout HTTPFields) {
        // Files and published keys may be kept, and a page runs scripts: the routes say so themselves.
        if headers[.cacheControl] == nil { headers.append(Self.noStore) }
        if headers[.contentSecurityPolicy] == nil { headers.append(Self.noContent) }
        headers.append(contentsOf: always)
    }

    private static let noStore = HTTPField(name: .cacheControl, value: "no-store")
    private static let noContent = HTTPField(
        name: .contentSecurityPolicy,
        value: "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
}
