public import VaultBase

extension FlowEngine {
    /// Which tokens to revoke: the refresh token first (RFC 7009 §2.1); none when the provider has no revocation.
    public func revocationPlan(accessToken: Secret, refreshToken: Secret?) -> RevocationPlan {
        guard !description.endpoints.revoke.isEmpty else { return RevocationPlan() }
        let access = RevocationPlan.Token(kind: .access, value: accessToken)
        let refresh = refreshToken.flatMap { $0.isEmpty ? nil : RevocationPlan.Token(kind: .refresh, value: $0) }
        // Where no token is named, the request is the same for either.
        let names = !description.revocation.tokenParameter.isEmpty
        switch description.revocation.which {
        case .refresh:
            guard let refresh else { return RevocationPlan(wanted: [access]) }
            return RevocationPlan(wanted: [refresh], spare: names ? access : nil)
        case .access: return RevocationPlan(wanted: [access], spare: names ? refresh : nil)
        case .both: return RevocationPlan(wanted: [refresh, access].compactMap { $0 })
        }
    }

    /// The request that revokes what is next in the plan; nil when nothing is.
    public func revocationRequest(
        _ plan: RevocationPlan, accessToken: Secret
    ) async throws(VaultError) -> ProviderRequest? {
        guard let token = plan.token else { return nil }
        var parameters = Parameters(self, .revoke)
        if !description.revocation.tokenParameter.isEmpty {
            parameters.add(description.revocation.tokenParameter, token.value.reveal())
        }
        if description.revocation.sendsHint { parameters.add("token_type_hint", token.kind.rawValue) }
        parameters.add(fixed: description.revokeParameters)
        let request = try request(
            .revoke, description.endpoints.revoke, parameters, method: "POST", encoding: .form,
            accessToken: accessToken)
        return try await prepared(request, .revoke, scope: "")
    }

    /// What is sent, in order, where the provider takes every token it gets.
    public func revocationRequests(accessToken: Secret, refreshToken: Secret?) async throws(VaultError)
        -> [ProviderRequest]
    {
        var plan = revocationPlan(accessToken: accessToken, refreshToken: refreshToken)
        var requests: [ProviderRequest] = []
        while let request = try await revocationRequest(plan, accessToken: accessToken) {
            requests.append(request)
            plan.taken()
        }
        return requests
    }

    /// Returns when the token is gone, also when it was unknown already (RFC 7009 §2.2); the body of a success is
    /// ignored.
    ///
    /// - Throws: class `retry` when the token still exists for now (503, §2.2.1, and whatever else is temporary);
    ///   `operator` for the rest: here the answer to `disconnect` is an honest no, unless the plan knows another token.
    public func readRevocation(_ answer: ProviderAnswer, now: Timestamp) async throws(ProviderFailure) {
        let answer = try await parsed(answer, .revoke, now: now)
        if description.revocation.okStatuses.contains(answer.status) { return }
        let failure = classify(answer, .revoke, now: now)
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
