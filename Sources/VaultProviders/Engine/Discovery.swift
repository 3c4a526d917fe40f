import VaultBase

extension FlowEngine {
    /// Where the metadata may stand, when the endpoints come by discovery, the first place first; empty when none is
    /// needed (any more). The next place is asked when one says 404 and for no other reason: whoever can break the
    /// answer of the first must not choose the second.
    public var discoveryRequests: [ProviderRequest] {
        guard description.discovery != .none,
            description.endpoints.authorize.isEmpty || description.endpoints.token.isEmpty,
            let issuer = WebAddress(description.issuer), policy.allows(description.issuer), issuer.query == nil
        else { return [] }
        var path = issuer.path
        if path.hasSuffix("/") { path.removeLast() }
        // OIDC Discovery §4 appends to the issuer; RFC 8414 §3.1 puts the well-known part before its path.
        let oidc = "\(issuer.origin)\(path)/.well-known/openid-configuration"
        let rfc8414 = "\(issuer.origin)/.well-known/oauth-authorization-server\(path)"
        return (description.discovery == .oidc ? [oidc, rfc8414] : [rfc8414]).map { url in
            ProviderRequest(
                method: "GET", url: url, headers: [("Accept", "application/json"), ("User-Agent", "vault")])
        }
    }

    /// The same platform with the endpoints its metadata names (RFC 8414 §3, OIDC Discovery §4).
    ///
    /// The metadata's issuer must be ours to the letter, a trailing slash included; each endpoint must pass the rules
    /// for addresses. What the description says itself is not replaced.
    /// - Throws: class `retry` for an outage, `operator` for metadata that cannot be used.
    public func discovered(_ answer: ProviderAnswer) throws(ProviderFailure) -> Platform {
        let body = AnswerBody(answer)
        guard answer.status == 200, case .object(let metadata) = body else {
            let failure = classify(answer, .validate, now: clock.now())
            throw failure.failure == .retry
                ? failure
                : ProviderFailure(
                    failure: .operatorAction, code: "discovery-http-\(answer.status)", status: answer.status)
        }
        func fault(_ code: String) -> ProviderFailure {
            ProviderFailure(failure: .operatorAction, code: code, status: answer.status)
        }
        guard metadata.at(["issuer"]) == .string(issuer) else { throw fault("issuer-mismatch") }

        var found = platform
        var description = found.provider.description
        for (path, name, needed) in [
            (\ProviderDescription.endpoints.authorize, "authorization_endpoint", true),
            (\.endpoints.token, "token_endpoint", true), (\.endpoints.revoke, "revocation_endpoint", false),
            (\.endpoints.profile, "userinfo_endpoint", false),
        ] where description[keyPath: path].isEmpty {
            guard let url = metadata.at([name])?.text else {
                if needed { throw fault("discovery-no-\(name)") }
                continue
            }
            guard let address = WebAddress(url),
                HostPolicy.schemeAllowed(address, insecureLoopback: platform.insecureLoopback),
                description.hosts.isEmpty || policy.hosts.contains(address.host)
            else { throw fault("discovery-\(name)") }
            description[keyPath: path] = url
        }

        if let methods = metadata.at(["code_challenge_methods_supported"]), !methods.contains("S256") {
            // Never plain (RFC 7636 §7.2): where S256 is not had, the state and the nonce must do.
            guard description.pkce != .required else { throw fault("discovery-no-s256") }
            description.pkce = .unsupported
        }
        if platform.parameters["client-auth"] == nil, platform.clientSecret != nil {
            // Absent means client_secret_basic (RFC 8414 §2).
            let methods =
                metadata.at(["token_endpoint_auth_methods_supported"]) ?? .array([.string("client_secret_basic")])
            let ours = description.clientAuthentication == .none ? [] : [description.clientAuthentication]
            guard
                let method = (ours + [.basic, .post]).first(where: { methods.contains("client_secret_\($0.rawValue)") })
            else { throw fault("discovery-client-authentication") }
            description.clientAuthentication = method
        }
        if metadata.at(["authorization_response_iss_parameter_supported"]) == .bool(true) {
            description.requiresIssuerParameter = true
        }
        found.provider.description = description
        return found
    }
}

extension JSONValue {
    fileprivate func contains(_ word: String) -> Bool {
        guard case .array(let values) = self else { return false }
        return values.contains(.string(word))
    }
}
