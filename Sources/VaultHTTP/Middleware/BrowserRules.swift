import HTTPTypes
import Hummingbird
import Vault

/// What a browser is told about every answer: who may read it, that nobody may keep it, and that it is
/// neither a page to frame nor a script to sniff.
struct BrowserRules {
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

    /// The answer to a browser that asks what it may send; nil for every other request.
    func preflight(_ request: Request, _ context: FacadeContext) -> Response? {
        guard request.method == .options, request.headers.contains(.origin),
            request.headers.contains(.accessControlRequestMethod)
        else { return nil }
        context.coreContext.endpointPath.value = "preflight"
        let methods = endpoints.methods(at: request.uri.path)
        guard reader(of: request) != nil, !methods.isEmpty else { return Response(status: .noContent) }
        return Response(
            status: .noContent,
            headers: [
                .accessControlAllowMethods: methods.map(\.rawValue).joined(separator: ", "),
                .accessControlAllowHeaders: "Authorization, Content-Type, X-Vault-CSRF",
                .accessControlMaxAge: "600",
            ])
    }

    /// Writes the rules into an answer.
    func apply(to response: inout Response, of request: Request) {
        if let reader = reader(of: request) {
            response.headers[.accessControlAllowOrigin] = reader
            if takesCookies(request.uri.path) { response.headers[.accessControlAllowCredentials] = "true" }
            response.headers[.accessControlExposeHeaders] =
                "Retry-After, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset, X-Request-Id"
        }
        harden(&response.headers)
    }

    /// The origin of the page that asks, where it may read the answer.
    private func reader(of request: Request) -> String? {
        // What service keys open is for back ends: no page may read it.
        guard let origin = request.headers[.origin], !request.uri.path.hasPrefix("/v1/"),
            parts.origins.mayRead(origin)
        else { return nil }
        return origin
    }

    /// Where a page of another origin has to send or get cookies: the login's, and the session's where it is one.
    private func takesCookies(_ path: String) -> Bool {
        parts.vault.options.sessionDelivery == .cookie || path.hasSuffix("/login") || path.hasSuffix("/browser-token")
            || path == "/auth/session/code"
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
