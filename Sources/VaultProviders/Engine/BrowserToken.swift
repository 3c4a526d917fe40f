public import VaultBase

// Some platforms give their token to the browser itself, by a script of theirs, and to nobody else (Apple Music). The
// browser hands it in, the platform is asked whether it holds, and it is kept like any other access token. There is no
// code, no refresh and, where the platform names no account, an account id of our own.

extension FlowEngine {
    /// The JWT that says who we are, signed anew when the last one nears its end; nil where the platform wants none.
    public func clientToken() throws(VaultError) -> ClientToken? {
        guard description.clientToken != nil else { return nil }
        guard let signer = platform.clientTokens else {
            throw VaultError(
                .settings, "platform \(platform.name) has no key to sign with",
                hint: "point client-secret in [platforms.\(platform.name)] at its private key")
        }
        return try signer.token(at: clock.now())
    }

    /// The token that a browser handed in, as a grant that says nothing of its end.
    ///
    /// Nothing is believed of it yet: ``validateRequest(accessToken:)`` asks the platform.
    /// - Throws: class `restartLogin` for what cannot be a token.
    public func grant(fromBrowser token: Secret) throws(ProviderFailure) -> TokenGrant {
        guard !token.isEmpty, Self.isToken(token.reveal()) else {
            throw ProviderFailure(failure: .restartLogin, code: "unusable-token")
        }
        return TokenGrant(
            accessToken: token, tokenType: scheme, expiresIn: description.response.defaultLifetime)
    }
}
