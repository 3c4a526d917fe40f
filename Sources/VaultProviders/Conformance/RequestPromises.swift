import VaultBase

extension ConformanceRun {
    /// Every request carries what its stage is about, and no secret goes where others read it.
    func checkRequests(_ engine: FlowEngine, _ report: inout ConformanceReport) async {
        switch engine.platform.provider.description.flow {
        case .code: await checkCode(engine, &report)
        case .clientCredentials: await checkClientCredentials(engine, &report)
        case .browserToken: break
        }
        await checkAPI("requests.profile", "the profile", &report) { () async throws(VaultError) in
            try await engine.profileRequest(accessToken: Secret(Simulated.access))
        }
        await checkAPI("requests.validate", "a validation", &report) { () async throws(VaultError) in
            try await engine.validateRequest(accessToken: Secret(Simulated.access))
        }
    }

    /// From the login page to the refresh.
    private func checkCode(_ engine: FlowEngine, _ report: inout ConformanceReport) async {
        let description = engine.platform.provider.description
        let scopes = engine.defaultScopes
        let nonce = description.accountID == .idTokenSubject ? Simulated.nonce : nil
        do throws(VaultError) {
            let url = try await engine.authorizationURL(
                state: Simulated.state, challenge: engine.usesPKCE ? Simulated.challenge : nil, nonce: nonce,
                scopes: scopes)
            report.judge(
                "requests.authorize", "the browser is sent off with state and challenge, and without the secret",
                fault: url.contains(Simulated.secret)
                    ? "the client secret is in the URL that the browser gets"
                    : !url.contains(Simulated.state)
                        ? "the state is not in the URL"
                        : engine.usesPKCE && !url.contains(Simulated.challenge)
                            ? "the challenge is not in the URL" : nil,
                hint: "look at names, authorize_parameters and the prepare hook")
        } catch { report.fail("requests.authorize", error.message, hint: Self.hint(error)) }

        do throws(VaultError) {
            let request = try await engine.tokenRequest(
                code: Simulated.code, verifier: Secret(Simulated.verifier), scope: scopes.joined(separator: " "),
                state: Simulated.state)
            let authenticates = description.clientAuthentication == .none || Self.authenticates(request) || hasHook
            report.judge(
                "requests.exchange", "a code is exchanged with its verifier, by a client that says who it is",
                fault: !Self.all(request).contains(Simulated.code)
                    ? "the code is not sent"
                    : engine.usesPKCE && !Self.all(request).contains(Simulated.verifier)
                        ? "the code verifier is not sent"
                        : !authenticates ? "the client does not authenticate, although `client` says how" : nil,
                hint: "look at names (a name of \"\" leaves a parameter out) and at the shape of token")
            if request.url.contains(Simulated.secret) {
                report.doubt(
                    "requests.secret", "the client secret travels in a URL",
                    hint:
                        "servers and proxies write URLs to their logs: use it only where the provider has no other way")
            } else {
                report.keep("requests.secret", "the client secret is in no URL")
            }
        } catch { report.fail("requests.exchange", error.message, hint: Self.hint(error)) }

        if description.refresh == .none {
            report.skip("requests.refresh", "it has no refresh tokens")
        } else {
            do throws(VaultError) {
                let request = try await engine.refreshRequest(
                    refreshToken: Secret(Simulated.refresh), scope: scopes.joined(separator: " "))
                report.judge(
                    "requests.refresh", "a refresh sends the refresh token",
                    fault: Self.all(request).contains(Simulated.refresh) ? nil : "the refresh token is not sent",
                    hint: "look at names and at the shape of refresh; VAULT_REFRESH_NONE says there is none")
            } catch { report.fail("requests.refresh", error.message, hint: Self.hint(error)) }
        }
    }

    /// The client asks for tokens of its own.
    private func checkClientCredentials(_ engine: FlowEngine, _ report: inout ConformanceReport) async {
        do throws(VaultError) {
            let request = try await engine.clientCredentialsRequest(scope: engine.defaultScopes.joined(separator: " "))
            report.judge(
                "requests.exchange", "the client asks for its own token and says who it is",
                fault: Self.authenticates(request) || hasHook ? nil : "the client does not authenticate",
                hint: "look at client, and at the shape of token")
            report.judge(
                "requests.secret", "the client secret is in no URL",
                fault: request.url.contains(Simulated.secret) ? "the client secret travels in a URL" : nil,
                hint: "look at the encoding in the shape of token")
        } catch { report.fail("requests.exchange", error.message, hint: Self.hint(error)) }
    }

    private func checkAPI(
        _ promise: String, _ what: String, _ report: inout ConformanceReport,
        _ make: () async throws(VaultError) -> ProviderRequest?
    ) async {
        do throws(VaultError) {
            guard let request = try await make() else { return report.skip(promise, "it has none") }
            let all = Self.all(request)
            let lacksClient = provider.description.clientToken != nil && !all.contains(Simulated.clientToken)
            report.judge(
                promise, "\(what) is asked for with the access token",
                fault: !all.contains(Simulated.access)
                    ? "\(what) is asked for without the access token"
                    : lacksClient ? "\(what) is asked for without the client's JWT" : nil,
                hint: "look at the authentication of its shape, api_header and api_query")
        } catch { report.fail(promise, error.message, hint: Self.hint(error)) }
    }

    func checkRevocation(_ engine: FlowEngine, _ report: inout ConformanceReport) async {
        let requests: [ProviderRequest]
        do throws(VaultError) {
            requests = try await engine.revocationRequests(
                accessToken: Secret(Simulated.access), refreshToken: Secret(Simulated.refresh))
        } catch { return report.fail("revocation.request", error.message, hint: Self.hint(error)) }
        guard !requests.isEmpty else { return report.skip("revocation", "it revokes nothing") }
        report.judge(
            "revocation.request", "a revocation says which token",
            fault: requests.allSatisfy {
                Self.all($0).contains(Simulated.access) || Self.all($0).contains(Simulated.refresh)
            } ? nil : "no token is in it",
            hint: "look at revoke_token_parameter, and at the authentication of the shape of revoke")

        func gone(_ status: Int, _ body: String) async -> ProviderFailure? {
            do throws(ProviderFailure) {
                try await engine.readRevocation(Simulated.answer(status, body), now: Simulated.now)
                return nil
            } catch { return error }
        }
        let done = engine.platform.provider.description.revocation.okStatuses
        var fault: String?
        for status in done where await gone(status, "{}") != nil { fault = "\(status) is not taken for done" }
        report.judge(
            "revocation.done", "an answer with a status of its list means the token is gone", fault: fault,
            hint: "look at revoke_statuses and the parse hook")
        fault = nil
        if await gone(400, #"{"error":"invalid_token"}"#) != nil { fault = "an unknown token is not taken for revoked" }
        report.judge(
            "revocation.unknown", "a token that is gone already counts as revoked (RFC 7009 §2.2)", fault: fault,
            hint: "let no rule of errors come before invalid_token")
        fault = nil
        for (status, body) in [(503, ""), (429, ""), (400, #"{"error":"invalid_client"}"#), (401, "{}"), (403, "{}")] {
            let failure = await gone(status, body)
            if failure == nil {
                fault = "\(status) \(body) is taken for done"
            } else if status > 403, failure?.failure != .retry {
                fault = "\(status) is not tried again"
            }
        }
        report.judge(
            "revocation.failed", "a revocation that failed is not called done", fault: fault,
            hint: "list only statuses in revoke_statuses that mean the token is gone")
    }

    private var hasHook: Bool { provider.description.hasPrepareHook }

    private static func authenticates(_ request: ProviderRequest) -> Bool {
        let basic = Base64.encode(Array("\(Simulated.client):\(Simulated.secret)".utf8))
        return all(request).contains(Simulated.secret) || all(request).contains(basic)
    }

    /// Everything that a request says, as one text.
    static func all(_ request: ProviderRequest) -> String {
        ([request.url] + request.headers.map { "\($0.name): \($0.value)" } + [
            String(decoding: request.body, as: UTF8.self)
        ])
        .joined(separator: "\n")
    }

    static func hint(_ error: VaultError) -> String { error.hint ?? "vault_plugin.h says what is allowed" }
}
