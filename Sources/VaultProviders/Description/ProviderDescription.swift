import VaultBase

/// How one provider behaves: what a plugin says once, as data. Every default is plain OAuth 2.1, so a
/// clean provider sets an id, an issuer, two endpoints and where the account id stands.
public struct ProviderDescription: Sendable, Equatable {
    /// `[a-z0-9-]{1,32}`; what `provider =` names in vault.conf.
    public var id: String
    public var displayName: String
    /// Compared as an exact string (RFC 9207 §2.4); unique over all plugins, unless it is the operator's
    /// (`{user.issuer}`).
    public var issuer: String
    /// What an ID token may say instead of the issuer (Google still writes it without `https://` at times).
    public var issuerAliases: [String] = []
    public var endpoints = Endpoints()
    /// The only hosts we may call for it; empty means the endpoints' own.
    public var hosts: [String] = []
    public var scopes: [String] = []
    public var scopeSeparator = " "
    public var sendsScopeOnTokenRequests = false
    public var discovery = Discovery.none
    public var flow = GrantFlow.code
    /// How we say who we are where that is a JWT of ours; nil elsewhere.
    public var clientToken: ClientTokenRule?
    public var pkce = PKCE.required
    public var clientAuthentication = ClientAuthentication.basic
    public var stateCarrier = StateCarrier.parameter
    /// Whether a callback without `iss` is refused (RFC 9207 §2.4).
    public var requiresIssuerParameter = false
    /// Whether the callback may also arrive as a form body.
    public var callbackMayBePosted = false
    /// Wire names that differ, as `stage.logical` or `logical` → name; an empty name omits the parameter.
    public var names: [String: String] = [:]
    public var authorizeParameters: [String: String] = [:]
    public var tokenParameters: [String: String] = [:]
    public var refreshParameters: [String: String] = [:]
    public var revokeParameters: [String: String] = [:]
    /// Per stage (`token`, `refresh`, `revoke`, `profile`, `validate`): what differs from the usual request.
    public var requests: [String: RequestShape] = [:]
    public var apiAuthentication = APIAuthentication.header(name: "Authorization", prefix: "Bearer ")
    public var apiHeaders: [String: String] = [:]
    public var response = ResponsePaths()
    public var refresh = RefreshRule.keepIfAbsent
    /// When the grant ends however often it is used, in seconds from consent; nil for no such limit.
    public var absoluteLifetime: Int64?
    /// When the grant ends if it is not used, in seconds; nil for no such limit.
    public var idleLifetime: Int64?
    public var accountID = AccountID.profile(["id"])
    /// Where the profile shows a name for people.
    public var displayNamePath: [String] = []
    public var revocation = Revocation()
    /// Put before the host's own rules (`reference/providers.md` part 18, rule 11).
    public var errorRules: [ErrorRule] = []
    /// Settings of the operator that endpoints and parameters may name as `{user.NAME}`.
    public var userParameters: [String] = []
    /// Seconds between duties at the validate endpoint; nil for none (Twitch: 3600).
    public var validateEvery: Int64?
    public var hasPrepareHook = false
    public var hasParseHook = false
    public var hookNeedsSecret = false
    /// Answers with what they mean, for the conformance kit; the engine never looks at them.
    public var examples: [Example] = []

    public init(id: String, displayName: String, issuer: String) {
        self.id = id
        self.displayName = displayName
        self.issuer = issuer
    }

    public struct Endpoints: Sendable, Equatable {
        public var authorize = "", token = "", refresh = "", revoke = "", profile = "", validate = ""
        public init() {}
    }
    public enum Discovery: String, Sendable { case none, oidc, rfc8414 }
    public enum GrantFlow: String, Sendable {
        case code
        /// The client's own tokens, with nobody to consent (RFC 6749 §4.4).
        case clientCredentials
        /// The platform gives the token to the browser, which hands it in; there is no code and no refresh.
        case browserToken
    }
    public enum PKCE: String, Sendable { case required, supported, unsupported }
    public enum ClientAuthentication: String, Sendable { case basic, post, none }
    public enum StateCarrier: String, Sendable { case parameter, redirectQuery, redirectPath }
    public enum RefreshRule: String, Sendable { case none, keepIfAbsent, singleUse }
    public enum APIAuthentication: Sendable, Equatable {
        case header(name: String, prefix: String)
        case query(name: String)
    }
    public enum AccountID: Sendable, Equatable {
        case profile([String]), tokenResponse([String]), idTokenSubject, minted
    }
    public struct RequestShape: Sendable, Equatable {
        public enum Encoding: String, Sendable { case form, json, query, none }
        /// `basic` is the client by Basic, where other stages have it differently.
        public enum Authentication: String, Sendable { case client, accessToken, none, basic }
        public var method: String?
        public var encoding: Encoding?
        public var headers: [String: String] = [:]
        public var authentication: Authentication?
        public init() {}
    }
    /// Where things stand in a token answer. A step of a path may name alternatives, `token|user_token`.
    public struct ResponsePaths: Sendable, Equatable {
        public var accessToken = ["access_token"], refreshToken = ["refresh_token"], scope = ["scope"]
        /// Names to try in turn, not a path; a dot goes down a level.
        public var expiresIn = ["expires_in"]
        public var idToken = ["id_token"]
        public var zeroMeansNever = false
        /// Seconds, when the answer says nothing; nil for unknown.
        public var defaultLifetime: Int64?
        public var neverExpires = false
        public init() {}
    }
    public struct Revocation: Sendable, Equatable {
        public enum Which: String, Sendable { case refresh, access, both }
        public var which = Which.refresh
        public var tokenParameter = "token"
        public var sendsHint = false
        public var okStatuses: [Int] = [200]
        /// What a refusal's body holds when the token was gone already; nil for RFC 7009's own word alone.
        public var gone: String?
        public init() {}
    }
    /// A JWT that the client secret, a P-256 private key, signs with ES256 (RFC 7518 §3.4).
    public struct ClientTokenRule: Sendable, Equatable {
        /// The header's `kid`.
        public var keyID: String
        /// The claim `iss`.
        public var issuer: String
        /// Seconds from `iat` to `exp`.
        public var lifetime: Int64

        public init(keyID: String, issuer: String = "{client_id}", lifetime: Int64 = 3600) {
            self.keyID = keyID
            self.issuer = issuer
            self.lifetime = lifetime
        }
    }
    /// One answer as the provider gave it, and what must come of it.
    public struct Example: Sendable, Equatable {
        public enum Meaning: Sendable, Equatable { case tokens, account, valid, failure(FailureClass) }
        public var stage: FlowEngine.Stage
        public var meaning: Meaning
        public var status: Int
        public var body: String

        public init(stage: FlowEngine.Stage, meaning: Meaning, status: Int, body: String) {
            self.stage = stage
            self.meaning = meaning
            self.status = status
            self.body = body
        }
    }
    public struct ErrorRule: Sendable, Equatable {
        public enum Match: Sendable, Equatable { case equals(String), contains(String) }
        /// nil for any status that is not temporary by itself (408, 425, 429, 5xx): an outage that carries
        /// `invalid_grant` must not end a grant.
        public var status: Int?
        /// Empty for the whole body as text.
        public var path: [String]
        public var match: Match
        public var failure: FailureClass
        public init(status: Int?, path: [String], match: Match, failure: FailureClass) {
            self.status = status
            self.path = path
            self.match = match
            self.failure = failure
        }
    }
}

/// What a failure asks for.
public enum FailureClass: String, Sendable {
    /// The user must consent again.
    case reconnect
    /// The login must be started again.
    case restartLogin
    /// Wait, then try again.
    case retry
    /// The operator must mend our registration or settings; tokens are kept.
    case operatorAction = "operator"
}
