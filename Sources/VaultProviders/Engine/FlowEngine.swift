public import VaultBase

/// One platform's flow, sans I/O: what to send, and what an answer means. No sockets, no storage, no clock but the
/// `now` handed in, and the one it is made with where none is.
///
/// All methods may be called at any time from anywhere; they are `async` only because a hook may live in another
/// process.
public struct FlowEngine: Sendable {
    /// The platform with every placeholder of its description filled: the issuer to compare with, the endpoints to
    /// remember, are these.
    public let platform: Platform
    let policy: HostPolicy
    let clock: any WallClock

    /// - Parameter clock: what hooks are told as the time of a request, and what a JWT is signed at.
    public init(_ platform: Platform, clock: any WallClock = SystemClock()) {
        self.platform = platform.resolved
        policy = HostPolicy(self.platform)
        self.clock = clock
    }

    public enum Stage: String, Sendable { case authorize, exchange, refresh, revoke, profile, validate }

    /// What a callback's `iss` is compared with, as an exact string (RFC 9207 §2.4).
    public var issuer: String { description.issuer }
    /// Where a code of this platform goes; kept with the state against mix-up (RFC 9700 §4.4.2).
    public var tokenEndpoint: String { description.endpoints.token }
    /// The hosts that may be called for this platform.
    public var hosts: Set<String> { policy.hosts }
    /// Whether the provider takes a PKCE challenge.
    public var usesPKCE: Bool { description.pkce != .unsupported }
    /// The scopes to ask for when the frontend names none.
    public var defaultScopes: [String] { platform.scopes ?? description.scopes }

    var description: ProviderDescription { platform.provider.description }
}

extension FlowEngine.Stage {
    /// The name in `names` and `requests` of a description.
    var key: String { self == .exchange ? "token" : rawValue }
}
