import Hummingbird

extension Routes {
    /// RFC 8414 and OpenID Connect Discovery, the same document at both places.
    func addDiscovery(to router: Router<SandboxContext>) {
        for path in ["/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"] {
            router.get(.init(path)) { _, context in
                try await control.plan(at: .metadata).answer(context) {
                    JSON.encode(Metadata(issuer: control.issuer), snakeCase: true)
                }
            }
        }
        // ID tokens are signed with the client secret, so there is no key to publish.
        router.get("/jwks") { _, _ in Response.json(["keys": [String]()]) }
    }
}

private struct Metadata: Encodable {
    let issuer: String
    let authorizationEndpoint: String
    let tokenEndpoint: String
    let revocationEndpoint: String
    let userinfoEndpoint: String
    let jwksUri: String
    let scopesSupported = Authority.scopes
    let responseTypesSupported = ["code"]
    let responseModesSupported = ["query"]
    let grantTypesSupported = ["authorization_code", "refresh_token"]
    let subjectTypesSupported = ["public"]
    let idTokenSigningAlgValuesSupported = ["HS256"]
    let tokenEndpointAuthMethodsSupported = ["client_secret_basic", "client_secret_post"]
    let revocationEndpointAuthMethodsSupported = ["client_secret_basic", "client_secret_post"]
    let codeChallengeMethodsSupported = ["S256"]
    let authorizationResponseIssParameterSupported = true

    init(issuer: String) {
        self.issuer = issuer
        authorizationEndpoint = issuer + "/authorize"
        tokenEndpoint = issuer + "/token"
        revocationEndpoint = issuer + "/revoke"
        userinfoEndpoint = issuer + "/userinfo"
        jwksUri = issuer + "/jwks"
    }
}
