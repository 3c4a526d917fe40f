import HTTPTypes
import Hummingbird
import Vault

/// What a browser is told about every answer: who may read it, that nobody may keep it, and that it is
/// neither a page to frame nor a script to sniff.
struct BrowserRules: RouterMiddleware {
    private let parts: FacadeParts
    private let endpoints: Endpoints
    private let strictTransportSecurity: String?

    init(parts: FacadeParts, endpoints: Endpoints) {
        self.parts = parts
        self.endpoints = endpoints
        let seconds = parts.options.strictTransportSecurity.components.seconds
        strictTransportSecurity = parts.options.tls != nil && seconds > 0 ? "max-age=\(seconds)" : nil
    }

    func handle(
        _ request: Request, context: FacadeContext, next: (Request, FacadeContext) async throws -> Response
    ) async throws -> Response {
        let origin = request.headers[.origin]
        let reader = origin.flatMap { parts.origins.mayRead($0) ? $0 : nil }
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
        parts.vault.options.sessionDelivery == .cookie || path.hasSuffix("/login") || path == "/auth/session/code"
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
        func setIfAbsent(_ name: HTTPField.Name, _ value: String) {
            if headers[name] == nil { headers.append(HTTPField(name: name, value: value)) }
        }
        // Answers differ by origin, so a cache between must know.
        setIfAbsent(.vary, "Origin")
        setIfAbsent(.cacheControl, "no-store")
        setIfAbsent(
            .contentSecurityPolicy, "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
        setIfAbsent(.referrerPolicy, "no-referrer")
        setIfAbsent(.xContentTypeOptions, "nosniff")
        setIfAbsent(.crossOriginResourcePolicy, "same-origin")
        if let strictTransportSecurity { setIfAbsent(.strictTransportSecurity, strictTransportSecurity) }
    }
}
