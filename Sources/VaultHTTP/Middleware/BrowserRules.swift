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
        guard reader(request.headers, request.uri.path) != nil, !methods.isEmpty else {
            return Response(status: .noContent)
        }
        return Response(
            status: .noContent,
            headers: [
                .accessControlAllowMethods: methods.map(\.rawValue).joined(separator: ", "),
                .accessControlAllowHeaders: "Authorization, Content-Type, X-Vault-CSRF",
                .accessControlMaxAge: "600",
            ])
    }

    /// Writes the rules into the fields of an answer.
    ///
    /// - Parameters:
    ///   - request: the fields of the request.
    ///   - path: the request's, without its query.
    func apply(to answer: inout HTTPFields, of request: HTTPFields, at path: String) {
        if let reader = reader(request, path) {
            answer[.accessControlAllowOrigin] = reader
            if takesCookies(path) { answer[.accessControlAllowCredentials] = "true" }
            answer[.accessControlExposeHeaders] =
                "Retry-After, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset, X-Request-Id"
        }
        harden(&answer)
    }

    /// The origin of the page that asks, where it may read the answer.
    private func reader(_ request: HTTPFields, _ path: String) -> String? {
        // What service keys open is for back ends: no page may read it.
        guard let origin = request[.origin], !path.hasPrefix("/v1/"), parts.origins.mayRead(origin) else { return nil }
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
