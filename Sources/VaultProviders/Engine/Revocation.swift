public import VaultBase

extension FlowEngine {
    /// The revocations to send, in order, the refresh token first (RFC 7009 §2.1); empty when the provider has none.
    public func revocationRequests(accessToken: Secret, refreshToken: Secret?) async throws(VaultError)
        -> [ProviderRequest]
    {
        guard !description.endpoints.revoke.isEmpty else { return [] }
        let refresh = refreshToken.flatMap { $0.isEmpty ? nil : ($0, "refresh_token") }
        let access = (accessToken, "access_token")
        let tokens =
            switch description.revocation.which {
            case .refresh: [refresh ?? access]
            case .access: [access]
            case .both: [refresh, access].compactMap { $0 }
            }
        var requests: [ProviderRequest] = []
        for (token, hint) in tokens {
            var parameters = Parameters(self, .revoke)
            if !description.revocation.tokenParameter.isEmpty {
                parameters.add(description.revocation.tokenParameter, token.reveal())
            }
            if description.revocation.sendsHint { parameters.add("token_type_hint", hint) }
            parameters.add(fixed: description.revokeParameters)
            let request = try request(
                .revoke, description.endpoints.revoke, parameters, method: "POST", encoding: .form,
                accessToken: accessToken)
            requests.append(try await prepared(request, .revoke, scope: ""))
        }
        return requests
    }

    /// Returns when the token is gone, also when it was unknown already (RFC 7009 §2.2); the body of a success is
    /// ignored.
    ///
    /// - Throws: class `retry` when the token still exists for now (503, §2.2.1, and whatever else is temporary);
    ///   `operator` for the rest: here the answer to `disconnect` is an honest no.
    public func readRevocation(_ answer: ProviderAnswer) async throws(ProviderFailure) {
        let answer = try await parsed(answer, .revoke, now: clock.now())
        if description.revocation.okStatuses.contains(answer.status) { return }
        let failure = classify(answer, .revoke, now: nil)
        if failure.failure != .retry {
            if failure.code == "invalid_token" { return }
            if let gone = description.revocation.gone,
                String(decoding: answer.body.prefix(4096), as: UTF8.self).contains(gone)
            {
                return
            }
        }
        throw failure
    }
}
