public import VaultBase

/// A platform as the operator configured it: a provider, and our registration there.
public struct Platform: Sendable {
    public var name: PlatformName
    public var displayName: String
    public var provider: Provider
    public var clientID: String
    public var clientSecret: Secret?
    /// A constant of the configuration (RFC 9700 §2.1), never taken from a request.
    public var redirectURI: String
    /// The scopes to ask for; nil for the description's own.
    public var scopes: [String]?
    /// What the description names as `userParameters`, and `issuer`, `authorize`, `token` … of the
    /// generic providers, as written in vault.conf.
    public var parameters: [String: String]
    /// Whether plain http to a loopback provider is allowed.
    public var insecureLoopback: Bool
    /// Signs the JWT that the description's `clientToken` asks for; nil where there is none.
    public var clientTokens: (any ClientTokenSigner)?

    public init(
        name: PlatformName, displayName: String? = nil, provider: Provider, clientID: String, clientSecret: Secret?,
        redirectURI: String, scopes: [String]? = nil, parameters: [String: String] = [:], insecureLoopback: Bool = false
    ) {
        self.name = name
        self.displayName = displayName ?? provider.description.displayName
        self.provider = provider
        self.clientID = clientID
        self.clientSecret = clientSecret
        self.redirectURI = redirectURI
        self.scopes = scopes
        self.parameters = parameters
        self.insecureLoopback = insecureLoopback
    }
}

extension Platform {
    /// Whether both are one and the same, hooks included: nothing that is known of one is wrong for the other.
    public func isSame(as other: Platform) -> Bool {
        let hooks = (provider.hooks.map { $0 as AnyObject }, other.provider.hooks.map { $0 as AnyObject })
        return name == other.name && displayName == other.displayName && clientID == other.clientID
            && clientSecret == other.clientSecret && redirectURI == other.redirectURI && scopes == other.scopes
            && parameters == other.parameters && insecureLoopback == other.insecureLoopback
            && provider.description == other.provider.description && hooks.0 === hooks.1
    }
}

/// A provider that is loaded: its description, and its hooks if it has any.
public struct Provider: Sendable {
    public var description: ProviderDescription
    public var hooks: (any ProviderHooks)?

    public init(description: ProviderDescription, hooks: (any ProviderHooks)? = nil) {
        self.description = description
        self.hooks = hooks
    }
}

/// Signs the JWTs by which a client says who it is; this target has no cryptography of its own.
public protocol ClientTokenSigner: Sendable {
    /// A token that holds for half of its life at the least.
    ///
    /// - Throws: `settings` when the key cannot sign.
    func token(at now: Timestamp) throws(VaultError) -> ClientToken
}

/// A signed JWT. It names the client and nobody else, and a browser may have it; whoever has it can use the platform's
/// API in the client's name until it ends.
public struct ClientToken: Sendable, Equatable {
    public var token: Secret
    public var expiresAt: Timestamp

    public init(token: Secret, expiresAt: Timestamp) {
        self.token = token
        self.expiresAt = expiresAt
    }
}

/// The pure hooks of a plugin, wherever it runs. What they return is checked again by the engine.
public protocol ProviderHooks: Sendable {
    /// Changes a request before it is sent.
    func prepare(_ stage: FlowEngine.Stage, _ request: ProviderRequest, _ context: HookContext) async throws(VaultError)
        -> ProviderRequest

    /// Rewrites an answer of odd form (XML, a nested body) as the JSON that the description reads; the rules for
    /// tokens and failures stay the engine's.
    func parse(_ stage: FlowEngine.Stage, _ answer: ProviderAnswer, _ context: HookContext) async throws(VaultError)
        -> ProviderAnswer
}

extension ProviderHooks {
    public func parse(_ stage: FlowEngine.Stage, _ answer: ProviderAnswer, _ context: HookContext)
        async throws(VaultError) -> ProviderAnswer
    { answer }
}

/// What a hook may know.
public struct HookContext: Sendable {
    public var now: Timestamp
    public var scope: String
    public var clientID: String
    /// Only when the description says `hookNeedsSecret`.
    public var clientSecret: Secret?
    /// The operator's settings that the description asks for.
    public var parameters: [String: String]

    public init(
        now: Timestamp, scope: String, clientID: String, clientSecret: Secret? = nil, parameters: [String: String] = [:]
    ) {
        self.now = now
        self.scope = scope
        self.clientID = clientID
        self.clientSecret = clientSecret
        self.parameters = parameters
    }
}
