import VaultBase

/// Turns what a plugin said into a ``ProviderDescription``, believing nothing: every text is checked for what it will
/// be used as, every number for its range.
struct DescriptionReader {
    let raw: [String: String]
    let groups: [String: [(name: String, value: String)]]

    /// - Throws: `plugin`, naming the member that is wrong.
    static func read(_ raw: RawDescription) throws(VaultError) -> ProviderDescription {
        try DescriptionReader(raw).description()
    }

    private init(_ description: RawDescription) throws(VaultError) {
        guard description.entries.count <= RawDescription.entryLimit else { throw Self.fault("size") }
        var raw: [String: String] = [:]
        var groups: [String: [(name: String, value: String)]] = [:]
        for entry in description.entries {
            guard entry.value.utf8.count <= RawDescription.textLimit, entry.name.utf8.count <= RawDescription.textLimit,
                !entry.value.unicodeScalars.contains(where: { $0.value < 0x20 || (0x7F...0x9F).contains($0.value) })
            else { throw Self.fault(String(entry.name.prefix { $0 != "/" })) }
            if let cut = entry.name.lastIndex(of: "/") {
                let name = String(entry.name[entry.name.index(after: cut)...])
                guard groups[String(entry.name[..<cut])]?.contains(where: { $0.name == name }) != true else {
                    throw Self.fault(String(entry.name[..<cut]), "has \(name) twice")
                }
                groups[String(entry.name[..<cut]), default: []].append((name, entry.value))
            } else {
                raw[entry.name] = entry.value
            }
        }
        self.raw = raw
        self.groups = groups
    }

    private func description() throws(VaultError) -> ProviderDescription {
        let id = raw["id"] ?? ""
        guard (try? PlatformName(id)) != nil else { throw Self.fault("id", "is not 1 to 32 of a-z, 0-9 and -") }
        guard let name = raw["name"], (1...64).contains(name.count) else {
            throw Self.fault("name", "is not 1 to 64 characters")
        }
        var out = ProviderDescription(id: id, displayName: name, issuer: raw["issuer"] ?? "")
        out.userParameters = try list("settings") { Self.isWord($0, 32, "-") }
        try endpoints(&out)
        try rules(&out)
        try paths(&out)
        try parameters(&out)
        try shapes(&out)
        try errors(&out)
        try more(&out)
        out.hasPrepareHook = raw["prepare"] != nil
        out.hasParseHook = raw["parse"] != nil
        try wholeness(out)
        return out
    }

    // MARK: Its parts

    private func endpoints(_ out: inout ProviderDescription) throws(VaultError) {
        for (member, path) in [
            ("issuer", \ProviderDescription.issuer), ("authorize", \.endpoints.authorize), ("token", \.endpoints.token),
            ("refresh", \.endpoints.refresh), ("revoke", \.endpoints.revoke), ("profile", \.endpoints.profile),
            ("validate", \.endpoints.validate),
        ] {
            let url = raw[member] ?? ""
            guard !url.isEmpty else { continue }
            try places(url, member, out)
            // A place in front is the operator's own address; it is checked when it is known.
            guard url.hasPrefix("{user.") || WebAddress(Self.withoutPlaces(url))?.isSecure == true else {
                throw Self.fault(member, "is not an https URL")
            }
            out[keyPath: path] = url
        }
        guard !out.issuer.isEmpty else { throw Self.fault("issuer", "is missing") }
        out.issuerAliases = try list("issuer_aliases") { $0.utf8.count <= 512 }
        out.hosts = try list("hosts") {
            $0.hasPrefix("{user.") || WebAddress("https://\($0)/")?.host == $0.lowercased()
        }
        out.hosts = out.hosts.map { $0.hasPrefix("{") ? $0 : $0.lowercased() }
        // A host with a place in it is checked when the place is filled.
        let known = out.endpoints.all.filter { !$0.hasPrefix("{") }
            .filter { !$0.dropFirst(8).prefix { $0 != "/" }.contains("{") }
        for url in known where !out.hosts.isEmpty {
            guard let host = WebAddress(Self.withoutPlaces(url))?.host, out.hosts.contains(host) else {
                throw Self.fault("hosts", "lacks the host of an endpoint")
            }
        }
    }

    private func rules(_ out: inout ProviderDescription) throws(VaultError) {
        out.discovery = try choice("discovery", [.none, .oidc, .rfc8414])
        out.flow = try choice("flow", [.code, .clientCredentials, .browserToken])
        out.pkce = try choice("pkce", [.required, .supported, .unsupported])
        out.clientAuthentication = try choice("client", [.basic, .post, .none])
        out.stateCarrier = try choice("state", [.parameter, .redirectQuery, .redirectPath])
        out.refresh = try choice("refresh_rule", [.keepIfAbsent, .none, .singleUse])
        out.revocation.which = try choice("revocation", [.refresh, .access, .both])

        let flags = try number("flags", 0...127)
        out.requiresIssuerParameter = flags & 1 != 0
        out.callbackMayBePosted = flags & 2 != 0
        out.sendsScopeOnTokenRequests = flags & 4 != 0
        out.response.zeroMeansNever = flags & 8 != 0
        out.response.neverExpires = flags & 16 != 0
        out.revocation.sendsHint = flags & 32 != 0
        out.hookNeedsSecret = flags & 64 != 0

        let century: Int64 = 100 * 366 * 86400
        func seconds(_ member: String) throws(VaultError) -> Int64? {
            let seconds = try number(member, 0...century)
            return seconds == 0 ? nil : seconds
        }
        out.absoluteLifetime = try seconds("absolute_lifetime")
        out.idleLifetime = try seconds("idle_lifetime")
        out.response.defaultLifetime = try seconds("default_lifetime")
        out.validateEvery = try seconds("validate_every")
        if let every = out.validateEvery, every < 60 { throw Self.fault("validate_every", "is less than a minute") }
    }

    private func paths(_ out: inout ProviderDescription) throws(VaultError) {
        func path(_ member: String) throws(VaultError) -> [String]? {
            guard let text = raw[member] else { return nil }
            let steps = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
            guard steps.count <= 8, steps.allSatisfy({ !$0.isEmpty && $0.utf8.count <= 128 }) else {
                throw Self.fault(member, "is not a path")
            }
            return steps
        }
        let id = try path("account_id")
        out.accountID = try choice(
            "account", [.profile(id ?? ["id"]), .tokenResponse(id ?? ["id"]), .idTokenSubject, .minted])
        out.displayNamePath = try path("display_name") ?? []
        if let path = try path("access_token") { out.response.accessToken = path }
        if let path = try path("refresh_token") { out.response.refreshToken = path }
        if let path = try path("scope") { out.response.scope = path }
        if let path = try path("id_token") { out.response.idToken = path }
        let lifetimes = try list("expires_in") { $0.utf8.count <= 128 }
        if !lifetimes.isEmpty { out.response.expiresIn = lifetimes.map { String($0.map { $0 == "/" ? "." : $0 }) } }

        // RFC 6749 §3.3: a scope is visible ASCII but quotation marks and backslashes.
        out.scopes = try list("scopes") {
            $0.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != 0x22 && $0 != 0x5C }
        }
        if let separator = raw["scope_separator"] {
            guard (1...4).contains(separator.utf8.count) else { throw Self.fault("scope_separator") }
            out.scopeSeparator = separator
        }
        if let name = raw["api_query"] {
            guard Self.isWord(name, 64, "_-.") else { throw Self.fault("api_query") }
            out.apiAuthentication = .query(name: name)
        } else {
            let (name, prefix) = (raw["api_header"] ?? "Authorization", raw["api_prefix"] ?? "Bearer ")
            guard HeaderRules.isName(name), HeaderRules.mayBeSet(name) else { throw Self.fault("api_header") }
            guard HeaderRules.isValue(prefix), prefix.utf8.count <= 64 else { throw Self.fault("api_prefix") }
            out.apiAuthentication = .header(name: name, prefix: prefix)
        }
        if let name = raw["revoke_token_parameter"] {
            guard name.isEmpty || Self.isWord(name, 64, "_-.") else { throw Self.fault("revoke_token_parameter") }
            out.revocation.tokenParameter = name
        }
        let statuses = try list("revoke_statuses") { (200..<500).contains(Int($0) ?? 0) }.compactMap { Int($0) }
        if !statuses.isEmpty { out.revocation.okStatuses = statuses }
    }
}
