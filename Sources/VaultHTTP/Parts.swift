import HTTPTypes
import Hummingbird
import NIOCore
public import Vault
public import VaultBase
import VaultRecords

/// What the routes share.
struct FacadeParts: Sendable {
    let vault: Vault
    let options: Facade.Options
    let cookies: CookieJar
    let origins: Origins
    let proxies: TrustedProxies
    let logins: RateLimiter
    let callbacks: RateLimiter
    let refreshes: RateLimiter
    /// One-time codes and browsers' tokens, handed in for a session.
    let exchanges: RateLimiter
    let renewals: RateLimiter
    let serviceCalls: RateLimiter
    let codes: OneTimeCodes

    /// - Parameter now: milliseconds that never go back; what the rate limits count in.
    /// - Throws: `settings` for options that cannot be served.
    init(vault: Vault, options: Facade.Options, now: @escaping @Sendable () -> Int64) throws(VaultError) {
        try options.check()
        self.vault = vault
        self.options = options
        // Decided once and by us: a header could be anybody's.
        cookies = CookieJar(
            isSecure: options.tls != nil || !options.trustedProxies.isEmpty
                || vault.options.sessionIssuer.lowercased().hasPrefix("https://"))
        origins = try Origins(
            frontend: vault.options.frontendURL, issuer: vault.options.sessionIssuer, allowed: options.allowedOrigins)
        proxies = try TrustedProxies(options.trustedProxies)
        logins = RateLimiter(perMinute: options.loginsPerMinute, now: now)
        callbacks = RateLimiter(perMinute: options.callbacksPerMinute, now: now)
        refreshes = RateLimiter(perMinute: options.refreshesPerMinute, now: now)
        exchanges = RateLimiter(perMinute: options.callbacksPerMinute, now: now)
        renewals = RateLimiter(perMinute: options.renewalsPerMinute, now: now)
        serviceCalls = RateLimiter(perMinute: options.serviceCallsPerMinute, now: now)
        codes = OneTimeCodes(clock: vault.records.clock)
        try Self.checkNames(vault.platforms.entries)
    }

    /// - Throws: `settings` for a platform whose name is one of our own paths.
    static func checkNames(_ entries: [PlatformDirectory.Entry]) throws(VaultError) {
        for entry in entries where reserved.contains(entry.name.rawValue) {
            throw VaultError(
                .settings, "platforms.\(entry.name): the name is one of our own paths",
                hint: "name the section otherwise and set its provider")
        }
    }

    /// Names that `/auth/{platform}` cannot have, because they are paths of their own.
    static let reserved: Set = ["platforms", "session"]

    func client(of request: Request, _ context: FacadeContext) -> IPAddress? {
        proxies.client(
            peer: context.peer, forwardedFor: request.headers[values: .xForwardedFor],
            forwarded: request.headers[values: .forwarded])
    }

    static let jsonType = HTTPField(name: .contentType, value: "application/json")

    /// The `{platform}` of the path.
    func platform(_ context: FacadeContext) throws -> PlatformName {
        try PlatformName(context.parameters.get("platform") ?? "")
    }
}

extension Response {
    /// `200` with a JSON body.
    static func json(_ body: ByteBuffer, headers: HTTPFields = [:]) -> Response {
        var headers = headers
        headers.append(FacadeParts.jsonType)
        return Response(status: .ok, headers: headers, body: .init(byteBuffer: body))
    }
}

extension HTTPField.Name {
    static let xForwardedFor = Self("X-Forwarded-For")!
    static let forwarded = Self("Forwarded")!
    static let xRequestID = Self("X-Request-Id")!
    static let csrf = Self("X-Vault-CSRF")!
    static let purpose = Self("Purpose")!
    static let secPurpose = Self("Sec-Purpose")!
    static let referrerPolicy = Self("Referrer-Policy")!
    static let crossOriginResourcePolicy = Self("Cross-Origin-Resource-Policy")!
}

extension Facade {
    /// - Throws: `settings` for a platform whose name is one of our own paths.
    public static func checkNames(_ entries: [PlatformDirectory.Entry]) throws(VaultError) {
        try FacadeParts.checkNames(entries)
    }
}
