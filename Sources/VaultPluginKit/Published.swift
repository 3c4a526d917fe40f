public import VaultABI

extension Provider {
    /// The description in memory that stays for ever, as `vault_plugin_v1` must return it.
    public func published() -> UnsafePointer<vault_provider_v1> {
        var out = vault_provider_v1()
        out.abi = UInt32(VAULT_ABI_V1)
        for flag in flags { out.flags |= flag.rawValue }
        (out.id, out.name, out.issuer) = (Self.text(id), Self.text(name), Self.text(issuer))
        out.issuer_aliases = Self.text(issuerAliases)

        (out.authorize, out.token, out.refresh) = (Self.text(authorize), Self.text(token), Self.text(refresh))
        (out.revoke, out.profile, out.validate) = (Self.text(revoke), Self.text(profile), Self.text(validate))
        (out.hosts, out.scopes, out.settings) = (Self.text(hosts), Self.text(scopes), Self.text(settings))
        out.scope_separator = Self.text(scopeSeparator)

        (out.discovery, out.flow) = (discovery.rawValue, flow.rawValue)
        (out.pkce, out.client) = (pkce.rawValue, client.rawValue)
        (out.state, out.refresh_rule) = (state.rawValue, refreshRule.rawValue)
        (out.account, out.revocation) = (account.rawValue, revocation.rawValue)

        (out.account_id, out.display_name) = (Self.text(accountID), Self.text(displayName))
        (out.access_token, out.refresh_token) = (Self.text(accessToken), Self.text(refreshToken))
        (out.scope, out.id_token, out.expires_in) = (Self.text(scope), Self.text(idToken), Self.text(expiresIn))
        (out.api_header, out.api_prefix, out.api_query) =
            (Self.text(apiHeader), Self.text(apiPrefix), Self.text(apiQuery))
        out.revoke_token_parameter = Self.text(revokeTokenParameter)
        out.revoke_statuses = Self.text(revokeStatuses)

        (out.absolute_lifetime, out.idle_lifetime) = (absoluteLifetime, idleLifetime)
        (out.default_lifetime, out.validate_every) = (defaultLifetime, validateEvery)

        out.names = Self.pairs(names)
        out.authorize_parameters = Self.pairs(authorizeParameters)
        out.token_parameters = Self.pairs(tokenParameters)
        out.refresh_parameters = Self.pairs(refreshParameters)
        out.revoke_parameters = Self.pairs(revokeParameters)
        out.api_headers = Self.pairs(apiHeaders)
        out.more = Self.pairs(more)
        out.shapes = Self.array(shapes, end: vault_shape_v1()) { shape in
            vault_shape_v1(
                stage: Self.text(shape.stage), method: Self.text(shape.method), encoding: shape.encoding.rawValue,
                authentication: shape.authentication.rawValue, headers: Self.pairs(shape.headers))
        }
        out.errors = Self.array(errors, end: vault_error_v1()) { rule in
            vault_error_v1(
                failure: rule.failure.rawValue, status: rule.status, path: Self.text(rule.path),
                equals: Self.text(rule.equals), contains: Self.text(rule.contains))
        }
        (out.prepare, out.parse) = (prepare, parse)

        let place = UnsafeMutablePointer<vault_provider_v1>.allocate(capacity: 1)
        place.initialize(to: out)
        return UnsafePointer(place)
    }

    /// A static string ends with NUL and never goes away.
    private static func text(_ string: StaticString?) -> UnsafePointer<CChar>? {
        guard let string else { return nil }
        return UnsafeRawPointer(string.utf8Start).assumingMemoryBound(to: CChar.self)
    }

    private static func pairs(_ pairs: Pairs) -> UnsafePointer<vault_pair_v1>? {
        array(pairs, end: vault_pair_v1()) { vault_pair_v1(name: text($0.0), value: text($0.1)) }
    }

    private static func array<In, Out>(_ values: [In], end: Out, _ make: (In) -> Out) -> UnsafePointer<Out>? {
        if values.isEmpty { return nil }
        let place = UnsafeMutablePointer<Out>.allocate(capacity: values.count + 1)
        for index in 0..<values.count { (place + index).initialize(to: make(values[index])) }
        (place + values.count).initialize(to: end)
        return UnsafePointer(place)
    }
}
