public import VaultABI

/// One OAuth 2.1 provider, as a plugin in Swift describes it.
///
/// Every member has the name and the meaning of `vault_plugin.h`, which is the manual; what is left out is plain
/// OAuth 2.1. Works in Embedded Swift: no Foundation, no comparing or hashing of strings.
///
/// ```swift
/// import VaultABI
/// import VaultPluginKit
///
/// @c @implementation
/// public func vault_plugin_v1() -> UnsafePointer<vault_provider_v1>! {
///     var acme = Provider(id: "acme", name: "Acme", issuer: "https://acme.example")
///     acme.authorize = "https://acme.example/authorize"
///     acme.token = "https://acme.example/token"
///     acme.profile = "https://acme.example/me"
///     return acme.published()
/// }
/// ```
public struct Provider {
    public typealias Pairs = [(StaticString, StaticString)]

    public var id: StaticString
    public var name: StaticString
    public var issuer: StaticString
    public var issuerAliases: StaticString?

    public var authorize: StaticString?
    public var token: StaticString?
    public var refresh: StaticString?
    public var revoke: StaticString?
    public var profile: StaticString?
    public var validate: StaticString?
    /// A list with spaces between, as all lists here.
    public var hosts: StaticString?
    public var scopes: StaticString?
    public var scopeSeparator: StaticString?
    public var settings: StaticString?

    public var discovery = VAULT_DISCOVERY_NONE
    public var flow = VAULT_FLOW_CODE
    public var pkce = VAULT_PKCE_REQUIRED
    public var client = VAULT_CLIENT_BASIC
    public var state = VAULT_STATE_PARAMETER
    public var refreshRule = VAULT_REFRESH_KEEP
    public var account = VAULT_ACCOUNT_PROFILE
    public var revocation = VAULT_REVOKE_REFRESH_TOKEN
    public var flags: [vault_flag] = []

    public var accountID: StaticString?
    public var displayName: StaticString?
    public var accessToken: StaticString?
    public var refreshToken: StaticString?
    public var scope: StaticString?
    public var idToken: StaticString?
    public var expiresIn: StaticString?
    public var apiHeader: StaticString?
    public var apiPrefix: StaticString?
    public var apiQuery: StaticString?
    public var revokeTokenParameter: StaticString?
    public var revokeStatuses: StaticString?

    /// Seconds, as all lifetimes here; 0 for none.
    public var absoluteLifetime: Int64 = 0
    public var idleLifetime: Int64 = 0
    public var defaultLifetime: Int64 = 0
    public var validateEvery: Int64 = 0

    public var names: Pairs = []
    public var authorizeParameters: Pairs = []
    public var tokenParameters: Pairs = []
    public var refreshParameters: Pairs = []
    public var revokeParameters: Pairs = []
    public var apiHeaders: Pairs = []
    public var shapes: [Shape] = []
    public var errors: [ErrorRule] = []
    public var more: Pairs = []

    public var prepare: vault_hook_v1?
    public var parse: vault_hook_v1?

    public init(id: StaticString, name: StaticString, issuer: StaticString) {
        self.id = id
        self.name = name
        self.issuer = issuer
    }

    /// How one stage's request differs from the usual one.
    public struct Shape {
        public var stage: StaticString
        public var method: StaticString?
        public var encoding = VAULT_ENCODING_USUAL
        public var authentication = VAULT_AUTHENTICATION_USUAL
        public var headers: Pairs = []

        public init(
            _ stage: StaticString, method: StaticString? = nil, encoding: vault_encoding = VAULT_ENCODING_USUAL,
            authentication: vault_authentication = VAULT_AUTHENTICATION_USUAL, headers: Pairs = []
        ) {
            self.stage = stage
            self.method = method
            self.encoding = encoding
            self.authentication = authentication
            self.headers = headers
        }
    }

    /// What an answer means; exactly one of `equals` and `contains` is given.
    public struct ErrorRule {
        public var failure: vault_failure
        public var status: UInt32
        public var path: StaticString?
        public var equals: StaticString?
        public var contains: StaticString?

        public init(
            _ failure: vault_failure, status: UInt32 = 0, path: StaticString? = nil, equals: StaticString? = nil,
            contains: StaticString? = nil
        ) {
            self.failure = failure
            self.status = status
            self.path = path
            self.equals = equals
            self.contains = contains
        }
    }
}
