import VaultBase

// What a description adds to requests and makes of answers, and what must be true of the whole: nothing in it may take
// from a login what protects it.

extension DescriptionReader {
    /// What the flow itself sends at the authorize endpoint; nothing fixed may stand in its place.
    private static let protected: Set<String> = [
        "response_type", "client_id", "redirect_uri", "state", "code_challenge", "code_challenge_method", "nonce",
    ]
    private static let logical: Set<String> = protected.union([
        "scope", "code", "code_verifier", "grant_type", "refresh_token", "client_secret", "token", "token_type_hint",
        "iss",
        "error",
    ])
    private static let stages: Set<String> = [
        "authorize", "callback", "token", "refresh", "revoke", "profile", "validate",
    ]

    func parameters(_ out: inout ProviderDescription) throws(VaultError) {
        for (name, value) in groups["names"] ?? [] {
            let parts = name.split(separator: ".").map(String.init)
            guard parts.count <= 2, let last = parts.last, Self.logical.contains(last),
                parts.count == 1 || Self.stages.contains(parts[0]), value.isEmpty || Self.isWord(value, 64, "_-.")
            else { throw Self.fault("names", "has \(name), which is no parameter that can be renamed so") }
            out.names[name] = value
        }
        for (member, path) in [
            ("authorize_parameters", \ProviderDescription.authorizeParameters), ("token_parameters", \.tokenParameters),
            ("refresh_parameters", \.refreshParameters), ("revoke_parameters", \.revokeParameters),
        ] {
            for (name, value) in groups[member] ?? [] {
                guard Self.isWord(name, 64, "_-.[]"), value.utf8.count <= 1024,
                    member != "authorize_parameters" || !Self.protected.contains(name)
                else { throw Self.fault(member, "may not hold \(name)") }
                try places(value, member, out)
                out[keyPath: path][name] = value
            }
        }
        out.apiHeaders = try headers("api_headers", out)
    }

    private func headers(_ group: String, _ out: ProviderDescription) throws(VaultError) -> [String: String] {
        var headers: [String: String] = [:]
        for (name, value) in groups[group] ?? [] {
            guard HeaderRules.isName(name), HeaderRules.mayBeSet(name), name.lowercased() != "authorization",
                HeaderRules.isValue(value), value.utf8.count <= 1024
            else { throw Self.fault(group, "may not hold \(name)") }
            try places(value, group, out)
            headers[name] = value
        }
        return headers
    }

    func shapes(_ out: inout ProviderDescription) throws(VaultError) {
        for (group, members) in groups where group.hasPrefix("shapes/") && !group.hasSuffix("/headers") {
            let stage = String(group.dropFirst(7))
            guard Self.stages.subtracting(["authorize", "callback"]).contains(stage) else {
                throw Self.fault("shapes", "has no stage \(stage)")
            }
            var shape = ProviderDescription.RequestShape()
            for (name, value) in members {
                switch name {
                case "method":
                    guard ["GET", "POST", "PUT", "DELETE"].contains(value) else {
                        throw Self.fault("shapes", "has a bad method")
                    }
                    shape.method = value
                case "encoding":
                    shape.encoding = try Self.pick(
                        value, "encoding", [nil, .form, .json, .query, ProviderDescription.RequestShape.Encoding.none])
                case "authentication":
                    shape.authentication = try Self.pick(
                        value, "authentication",
                        [nil, .client, .accessToken, ProviderDescription.RequestShape.Authentication.none, .basic])
                default: break
                }
            }
            shape.headers = try headers("\(group)/headers", out)
            out.requests[stage] = shape
        }
    }

    func errors(_ out: inout ProviderDescription) throws(VaultError) {
        for index in 0..<RawDescription.arrayLimit {
            guard let members = groups["errors/\(index)"] else { break }
            let texts = Dictionary(members.map { ($0.name, $0.value) }, uniquingKeysWith: { $1 })
            let failure = try Self.pick(
                texts["failure"] ?? "", "errors", [nil, FailureClass.reconnect, .restartLogin, .retry, .operatorAction])
            guard let failure, let status = Int(texts["status"] ?? "0"), status == 0 || (100..<600).contains(status)
            else {
                throw Self.fault("errors")
            }
            let match: ProviderDescription.ErrorRule.Match
            switch (texts["equals"], texts["contains"]) {
            case (let text?, nil): match = .equals(text)
            case (nil, let text?) where !text.isEmpty: match = .contains(text)
            default: throw Self.fault("errors", "needs one of equals and contains")
            }
            out.errorRules.append(
                .init(
                    status: status == 0 ? nil : status,
                    path: texts["path"].map { $0.split(separator: "/").map(String.init) } ?? [],
                    match: match, failure: failure))
        }
    }

    /// What must be true of the whole.
    func wholeness(_ out: ProviderDescription) throws(VaultError) {
        if out.discovery == .none {
            guard !out.endpoints.authorize.isEmpty || out.flow != .code else {
                throw Self.fault("authorize", "is missing")
            }
            guard !out.endpoints.token.isEmpty || out.flow == .browserToken else {
                throw Self.fault("token", "is missing")
            }
            if case .profile = out.accountID, out.endpoints.profile.isEmpty {
                throw Self.fault("profile", "is missing, and the account id is to come from there")
            }
        }
        if out.clientToken != nil {
            // The secret is a key that signs: it is sent to nobody, and shown to no hook.
            guard out.clientAuthentication == .none else {
                throw Self.fault("client", "must be VAULT_CLIENT_NONE where the secret is a private key")
            }
            guard !out.hookNeedsSecret else { throw Self.fault("flags", "would show a hook the private key") }
            if case .header(let name, _) = out.apiAuthentication, name.lowercased() == "authorization" {
                throw Self.fault("api_header", "must be another than Authorization, where the client's JWT stands")
            }
        }
        if out.flow == .code { return try protection(out) }
        guard out.refresh == .none else {
            throw Self.fault("refresh_rule", "must be VAULT_REFRESH_NONE: this flow redeems no refresh tokens")
        }
        if out.flow == .clientCredentials {
            guard out.clientAuthentication != .none else {
                throw Self.fault("client", "is VAULT_CLIENT_NONE, and the client's own secret is all there is")
            }
            guard out.accountID == .minted else {
                throw Self.fault(
                    "account", "must be VAULT_ACCOUNT_MINTED: the client's own tokens are nobody's account")
            }
        }
        if out.flow == .browserToken, out.endpoints.validate.isEmpty {
            // Whatever a browser hands in would be taken for a token.
            throw Self.fault("validate", "is missing, and nothing else says whether a browser's token is one")
        }
    }

    private func protection(_ out: ProviderDescription) throws(VaultError) {
        // Every login is protected by the state, by S256 where the provider has it, and goes to our own address: none
        // of them can be left out or hidden behind another's name.
        var wire: Set<String> = []
        for logical in Self.protected {
            let name = out.names["authorize.\(logical)"] ?? out.names[logical] ?? logical
            if name.isEmpty {
                let needed =
                    switch logical {
                    case "state": out.stateCarrier == .parameter
                    case "code_challenge", "code_challenge_method": out.pkce != .unsupported
                    case "redirect_uri", "client_id", "nonce": true
                    default: false
                    }
                if needed { throw Self.fault("names", "leaves out \(logical)") }
            } else if !wire.insert(name).inserted || out.authorizeParameters[name] != nil {
                throw Self.fault("names", "gives \(name) to two parameters")
            }
        }
    }
}
