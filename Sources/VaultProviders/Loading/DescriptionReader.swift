import VaultBase

/// Turns what a plugin said into a ``ProviderDescription``, believing nothing: every text is checked for what it will
/// be used as, every number for its range.
struct DescriptionReader {
    private let raw: [String: String]
    private let groups: [String: [(name: String, value: String)]]

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

    private func parameters(_ out: inout ProviderDescription) throws(VaultError) {
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

    private func shapes(_ out: inout ProviderDescription) throws(VaultError) {
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
                        [nil, .client, .accessToken, ProviderDescription.RequestShape.Authentication.none])
                default: break
                }
            }
            shape.headers = try headers("\(group)/headers", out)
            out.requests[stage] = shape
        }
    }

    private func errors(_ out: inout ProviderDescription) throws(VaultError) {
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
    private func wholeness(_ out: ProviderDescription) throws(VaultError) {
        guard out.flow == .code else { throw Self.fault("flow", "is not one that this version of vault runs") }
        if out.discovery == .none {
            guard !out.endpoints.authorize.isEmpty else { throw Self.fault("authorize", "is missing") }
            guard !out.endpoints.token.isEmpty else { throw Self.fault("token", "is missing") }
            if case .profile = out.accountID, out.endpoints.profile.isEmpty {
                throw Self.fault("profile", "is missing, and the account id is to come from there")
            }
        }
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

    // MARK: Its smallest parts

    private func list(_ member: String, _ isGood: (String) -> Bool) throws(VaultError) -> [String] {
        let words = (raw[member] ?? "").split(separator: " ").map(String.init)
        guard words.count <= 128, words.allSatisfy(isGood) else { throw Self.fault(member) }
        return words
    }

    private func number(_ member: String, _ range: ClosedRange<Int64>) throws(VaultError) -> Int64 {
        guard let number = Int64(raw[member] ?? "0"), range.contains(number) else { throw Self.fault(member) }
        return number
    }

    private func choice<T>(_ member: String, _ choices: [T]) throws(VaultError) -> T {
        try Self.pick(raw[member] ?? "0", member, choices)
    }

    private static func pick<T>(_ text: String, _ member: String, _ choices: [T]) throws(VaultError) -> T {
        guard let index = Int(text), choices.indices.contains(index) else {
            throw fault(member, "is none of its values")
        }
        return choices[index]
    }

    /// Every `{…}` is one that vault fills.
    private func places(_ text: String, _ member: String, _ out: ProviderDescription) throws(VaultError) {
        var rest = text[...]
        while let open = rest.firstIndex(of: "{") {
            let close = rest[open...].firstIndex(of: "}")
            let name = close.map { String(rest[rest.index(after: open)..<$0]) } ?? ""
            guard let close,
                ["client_id", "redirect_uri"].contains(name)
                    || (name.hasPrefix("user.") && out.userParameters.contains(String(name.dropFirst(5))))
            else {
                throw Self.fault(member, "names a place that is not client_id, redirect_uri or one of its settings")
            }
            rest = rest[rest.index(after: close)...]
        }
    }

    private static func withoutPlaces(_ url: String) -> String {
        url.split(separator: "{", omittingEmptySubsequences: false).enumerated().map { index, part in
            index == 0 ? String(part) : "x" + part.drop { $0 != "}" }.dropFirst()
        }.joined()
    }

    private static func isWord(_ text: String, _ limit: Int, _ others: String) -> Bool {
        (1...limit).contains(text.utf8.count)
            && text.utf8.allSatisfy {
                (0x30...0x39).contains($0) || (0x61...0x7A).contains($0) || (0x41...0x5A).contains($0)
                    || others.utf8.contains($0)
            }
    }

    private static func fault(_ member: String, _ what: String = "is not as it must be") -> VaultError {
        VaultError(.plugin, "its \(member) \(what)", hint: RawDescription.authorHint)
    }
}
