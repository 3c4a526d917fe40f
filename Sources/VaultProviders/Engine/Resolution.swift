public import VaultBase

// A description may name `{client_id}`, `{redirect_uri}` and the operator's settings as `{user.NAME}`; there are no
// expressions. Everything is put in place once, when an engine is made; what cannot be stays as it is and is named
// by `check()`.

extension Platform {
    /// The same platform with every placeholder of its description filled and the operator's words for generic
    /// providers applied. Doing it twice changes nothing.
    var resolved: Platform {
        var platform = self
        var description = provider.description
        let settings = self.settings
        typealias Words = ProviderDescription

        for path in [
            \Words.endpoints.authorize, \.endpoints.token, \.endpoints.refresh, \.endpoints.revoke,
            \.endpoints.profile, \.endpoints.validate, \.issuer,
        ] {
            description[keyPath: path] = fill(description[keyPath: path], inURL: true)
        }
        for path in [
            \Words.authorizeParameters, \.tokenParameters, \.refreshParameters, \.revokeParameters, \.apiHeaders,
        ] {
            description[keyPath: path] = description[keyPath: path].mapValues { fill($0, inURL: false) }
        }
        description.requests = description.requests.mapValues { shape in
            var shape = shape
            shape.headers = shape.headers.mapValues { fill($0, inURL: false) }
            return shape
        }
        description.hosts = description.hosts.map { fill($0, inURL: true) }
        if let rule = description.clientToken {
            description.clientToken?.keyID = fill(rule.keyID, inURL: false)
            description.clientToken?.issuer = fill(rule.issuer, inURL: false)
        }

        // What only some platforms of a generic provider have is left out when the operator does not name it.
        for path in [\Words.endpoints.refresh, \.endpoints.revoke, \.endpoints.profile, \.endpoints.validate]
        where description[keyPath: path].hasPrefix("{user.") && description[keyPath: path].hasSuffix("}") {
            description[keyPath: path] = ""
        }
        if description.issuer.hasPrefix("{"), let authorize = WebAddress(description.endpoints.authorize) {
            description.issuer = authorize.origin
        }
        if let word = settings["account-id"] { description.accountID = .profile(Self.path(word)) }
        if let word = settings["display-name-path"] { description.displayNamePath = Self.path(word) }
        if let word = settings["scope-separator"], !word.isEmpty { description.scopeSeparator = word }
        if let rule = settings["client-auth"].flatMap(Words.ClientAuthentication.init) {
            description.clientAuthentication = rule
        }
        if let rule = settings["pkce"].flatMap(Words.PKCE.init) { description.pkce = rule }
        if let rule = settings["refresh-rule"].flatMap(Self.refreshRule) { description.refresh = rule }
        platform.provider.description = description
        return platform
    }

    /// The operator's settings that this provider asks for.
    private var settings: [String: String] {
        parameters.filter { provider.description.userParameters.contains($0.key) }
    }

    private static func path(_ word: String) -> [String] {
        word.split(whereSeparator: { $0 == "." || $0 == "/" }).map(String.init)
    }

    private static func refreshRule(_ word: String) -> ProviderDescription.RefreshRule? {
        switch word {
        case "none": ProviderDescription.RefreshRule.none
        case "keep", "keep-if-absent", "keepIfAbsent": .keepIfAbsent
        case "single-use", "singleUse": .singleUse
        default: nil
        }
    }

    /// At the start of a URL a value stands as it is (`{user.issuer}/token`), further on it is percent-encoded, so that
    /// it stays within its segment.
    private func fill(_ template: String, inURL: Bool) -> String {
        guard template.contains("{") else { return template }
        var out = ""
        var rest = template[...]
        while let open = rest.firstIndex(of: "{"), let close = rest[open...].firstIndex(of: "}") {
            out += rest[..<open]
            let name = rest[rest.index(after: open)..<close]
            rest = rest[rest.index(after: close)...]
            guard var value = value(of: name) else {
                out += "{\(name)}"
                continue
            }
            if inURL, out.isEmpty {
                // OIDC Discovery §4: a terminating slash goes before a path is appended.
                if rest.hasPrefix("/"), value.hasSuffix("/") { value.removeLast() }
            } else if inURL {
                value = FormText.escape(value, spaceAsPlus: false)
            }
            out += value
        }
        return out + rest
    }

    private func value(of name: Substring) -> String? {
        switch name {
        case "client_id": clientID
        case "redirect_uri": redirectURI
        default: name.hasPrefix("user.") ? settings[String(name.dropFirst(5))] : nil
        }
    }

    /// Says what is missing or wrong in this platform's settings before anybody tries to log in.
    ///
    /// - Throws: `settings`, naming the setting of `[platforms.NAME]`.
    public func check() throws(VaultError) {
        let platform = resolved
        let description = platform.provider.description
        func fault(_ message: String, _ setting: String) -> VaultError {
            VaultError(.settings, "platform \(name): \(message)", hint: "set \(setting) in [platforms.\(name)]")
        }
        guard !clientID.isEmpty else { throw fault("there is no client id", "client-id") }
        for (word, allowed) in [
            ("client-auth", ["basic", "post", "none"]), ("pkce", ["required", "supported", "unsupported"]),
            ("refresh-rule", ["none", "keep", "single-use"]),
        ] {
            if let value = settings[word], !allowed.contains(value) {
                throw fault("\(word) is one of \(allowed.joined(separator: ", "))", word)
            }
        }
        for endpoint in description.endpoints.all + [description.issuer] where !endpoint.isEmpty {
            if let open = endpoint.range(of: "{user."), let close = endpoint[open.upperBound...].firstIndex(of: "}") {
                let setting = endpoint[open.upperBound..<close]
                throw fault("the provider \(description.id) needs the setting \(setting)", String(setting))
            }
        }
        if let rule = description.clientToken {
            guard clientSecret?.isEmpty == false else {
                throw fault("there is no private key to sign with", "client-secret = \"file:…\" (PKCS #8, PEM)")
            }
            for value in [rule.keyID, rule.issuer] where value.isEmpty || value.contains("{") {
                throw fault(
                    "its client token needs a setting that is not there",
                    description.userParameters.joined(separator: ", "))
            }
        }
        if description.flow == .clientCredentials, clientSecret?.isEmpty != false {
            throw fault("it has the client's own tokens alone, and there is no secret", "client-secret")
        }
        if description.discovery == .none {
            guard !description.endpoints.authorize.isEmpty || description.flow != .code else {
                throw fault("there is no authorize endpoint", "authorize")
            }
            guard !description.endpoints.token.isEmpty || description.flow == .browserToken else {
                throw fault("there is no token endpoint", "token")
            }
        }
        for endpoint in description.endpoints.all + (description.discovery == .none ? [] : [description.issuer]) {
            guard let address = WebAddress(endpoint) else { throw fault("\(endpoint) is not a URL", "its address") }
            guard HostPolicy.schemeAllowed(address, insecureLoopback: insecureLoopback) else {
                throw fault(
                    "\(address.host) is not on https", "insecure-loopback = true, if it is on 127.0.0.1 or [::1],")
            }
        }
        guard let callback = WebAddress(redirectURI), callback.isSecure || callback.isLoopbackLiteral else {
            throw fault("the redirect URI must be https, or http on 127.0.0.1 or [::1] (RFC 8252 §7.3)", "redirect-uri")
        }
    }
}

extension String {
    /// The first place where `text` stands.
    fileprivate func range(of text: String) -> Range<String.Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(text) { return start..<index(start, offsetBy: text.count) }
            start = index(after: start)
        }
        return nil
    }
}
