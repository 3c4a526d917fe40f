public import VaultBase

/// One platform's flow, sans I/O: what to send, and what an answer means. No sockets, no clock but the
/// `now` handed in, no storage.
public struct FlowEngine: Sendable {
    public let platform: Platform
    public init(_ platform: Platform) { fatalError("stub") }

    /// Where the metadata stands, when the endpoints come by discovery; nil when none is needed (any more).
    public var discoveryRequest: ProviderRequest? { fatalError("stub") }
    /// The same platform with the endpoints its metadata names (RFC 8414 §3, OIDC Discovery §4).
    public func discovered(_ answer: ProviderAnswer) throws(ProviderFailure) -> Platform { fatalError("stub") }

    /// The URL the browser goes to. `challenge` is S256 of the verifier (RFC 7636 §4.2).
    public func authorizationURL(
        state: String, challenge: String?, nonce: String?, scopes: [String]
    ) async throws(VaultError) -> String { fatalError("stub") }

    public func tokenRequest(code: String, verifier: Secret?, scope: String) async throws(VaultError) -> ProviderRequest
    {
        fatalError("stub")
    }
    public func refreshRequest(refreshToken: Secret, scope: String) async throws(VaultError) -> ProviderRequest {
        fatalError("stub")
    }
    public func readTokens(
        _ answer: ProviderAnswer, stage: Stage, now: Timestamp
    ) async throws(ProviderFailure) -> TokenGrant { fatalError("stub") }

    /// nil when the account is known from the tokens alone.
    public func profileRequest(accessToken: Secret) async throws(VaultError) -> ProviderRequest? { fatalError("stub") }
    /// The account, from the profile's answer, the ID token or the token response, as the description says.
    /// Claims of an ID token are checked (OIDC Core §3.1.3.7): `iss`, `aud`, `azp`, `exp`, `iat`, `nonce`.
    public func account(
        tokens: TokenGrant, profile: ProviderAnswer?, nonce: String?, now: Timestamp
    ) async throws(ProviderFailure) -> Account { fatalError("stub") }

    /// The revocations to send, in order; empty when the provider has none.
    public func revocationRequests(accessToken: Secret, refreshToken: Secret?) async throws(VaultError)
        -> [ProviderRequest]
    {
        fatalError("stub")
    }
    public func readRevocation(_ answer: ProviderAnswer) async throws(ProviderFailure) { fatalError("stub") }

    public enum Stage: String, Sendable { case authorize, exchange, refresh, revoke, profile, validate }
}
