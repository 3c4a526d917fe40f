import Vault
import VaultBase
import VaultProviders

/// What settings must be together, beyond each one's form.
enum SettingsRules {
    /// - Throws: `settings` at the first rule that is broken.
    static func check(_ settings: Settings) throws(VaultError) {
        try checkListeners(settings)
        try checkAddresses(settings)
        try checkSecrets(settings)
        try checkPins(settings)
        try checkRecipients(settings)
        for platform in settings.platforms { try check(platform, settings) }
        try checkIsolation(settings)
        for webhook in settings.webhooks { try check(webhook, settings) }
        guard settings[\.eventKeep] > settings[\.eventPatience] else {
            throw settings.fault(
                \.eventKeep, "is not longer than events.give-up-after", hint: "what is kept shorter cannot be told")
        }
    }

    private static func checkListeners(_ settings: Settings) throws(VaultError) {
        guard settings[\.certificates].isEmpty == settings[\.certificateKey].isEmpty else {
            let missing = settings[\.certificates].isEmpty ? "tls.certificates" : "tls.key"
            throw VaultError(
                .settings, "\(missing) is not set, and TLS needs both files",
                hint: "set tls.certificates and tls.key, or neither")
        }
        if !settings[\.listen].isLoopback, settings[\.certificates].isEmpty, settings[\.trustedProxies].isEmpty {
            throw settings.fault(
                \.listen, "is \(settings[\.listen]), where others could read tokens on the way",
                hint: "set tls.certificates and tls.key, or name the TLS proxy in trusted-proxies")
        }
        if settings[\.redirect] != nil {
            guard !settings[\.certificates].isEmpty else {
                throw settings.fault(
                    \.redirect, "is set, and there is no https to redirect to", hint: "set tls.certificates and tls.key"
                )
            }
            guard settings[\.publicURL].hasPrefix("https://") else {
                throw settings.fault(
                    \.redirect, "is set, and public-url does not say where to",
                    hint: "set public-url to the vault's own https address")
            }
        }
        if !settings[\.admin].isLoopback {
            throw settings.fault(
                \.admin, "is \(settings[\.admin]), and metrics and health are for this machine only",
                hint: "use 127.0.0.1 and let a proxy or an agent on this machine carry them on")
        }
        for proxy in settings[\.trustedProxies] where !Self.isNetwork(proxy) {
            throw settings.fault(
                \.trustedProxies, "names \"\(proxy)\", which is no address",
                hint: "use addresses or networks like 10.0.0.2 or 10.0.0.0/8")
        }
    }

    private static func checkAddresses(_ settings: Settings) throws(VaultError) {
        if WebAddress(settings[\.frontendURL])?.isExposed == true {
            throw settings.fault(
                \.frontendURL, "is plain http, so sessions could be read on the way",
                hint: "use https; plain http is for 127.0.0.1 only")
        }
        if WebAddress(settings.publicURL)?.isExposed == true, !settings[\.publicURL].isEmpty {
            throw settings.fault(
                \.publicURL, "is plain http, so tokens could be read on the way",
                hint: "use https; plain http is for 127.0.0.1 only")
        }
        for target in settings[\.returnTo] where !(target.hasPrefix("/") && !target.hasPrefix("//")) {
            guard let address = WebAddress(target), !address.isExposed else {
                throw settings.fault(
                    \.returnTo, "names \"\(target)\", which is neither a path nor a safe address",
                    hint: "use paths like /account or https addresses")
            }
        }
        for origin in settings[\.origins] {
            guard let address = WebAddress(origin), address.path.isEmpty, !address.isExposed else {
                throw settings.fault(
                    \.origins, "names \"\(origin)\", which is no safe origin",
                    hint: "an origin is scheme, host and port, without a path: https://app.example.com")
            }
        }
    }

    private static func checkSecrets(_ settings: Settings) throws(VaultError) {
        if let secret = settings[\.sessionSecret] {
            try checkWritten(secret, settings.origin(\.sessionSecret), "session.secret", settings)
        }
        for text in settings[\.previousSecrets] {
            try checkWritten(
                SecretReference(text), settings.origin(\.previousSecrets), "session.previous-secrets", settings)
        }
        guard RootKeySource.kind(settings[\.keySource]) == nil else { return }
        throw settings.fault(
            \.keySource, "is not a reference", hint: "\(RootKeySource.kinds); vault init makes the file")
    }

    /// A secret in a file is read by whoever reads the file, one on the command line by whoever lists processes.
    private static func checkWritten(
        _ secret: SecretReference, _ origin: SettingOrigin, _ path: String, _ settings: Settings
    ) throws(VaultError) {
        guard case .literal = secret else { return }
        switch origin {
        case .option:
            throw VaultError(
                .settings, "\(origin.words): \(path) is a secret, and the command line is read by everybody here",
                hint: "point at it: \(path)=file:/run/secrets/name")
        case .file where !settings.isLoopbackOnly:
            throw VaultError(
                .settings, "\(origin.words): \(path) is written in the file itself",
                hint: "point at it: file:/run/secrets/name, env:NAME, command:… or credential:NAME")
        default: return
        }
    }

    private static func checkPins(_ settings: Settings) throws(VaultError) {
        do {
            _ = try PluginPins.read(settings[\.pins])
        } catch {
            throw settings.fault(\.pins, error.message, hint: error.hint ?? "")
        }
    }

    private static func checkRecipients(_ settings: Settings) throws(VaultError) {
        guard !settings[\.backupRecipients].isEmpty else {
            throw settings.fault(
                \.backupRecipients, "is empty, and nobody could open such a backup", hint: BackupRecipients.kinds)
        }
        for text in settings[\.backupRecipients] {
            do {
                _ = try BackupRecipients.kind(text)
            } catch {
                throw settings.fault(\.backupRecipients, error.message, hint: error.hint ?? "")
            }
        }
    }

    private static func check(_ webhook: WebhookSection, _ settings: Settings) throws(VaultError) {
        guard let secret = webhook[\.secret] else {
            throw VaultError(
                .settings, "webhooks.\(webhook.name) has no secret",
                hint: "make one with: echo whsec_$(head -c 32 /dev/urandom | base64), and point at it")
        }
        try checkWritten(secret, webhook.origin(\.secret), "webhooks.\(webhook.name).secret", settings)
        do {
            _ = try webhook.webhook(secret: Webhook.sample)
        } catch {
            throw VaultError(.settings, "\(webhook.origin(\.url).words): \(error.message)", hint: error.hint)
        }
    }

    static func check(_ platform: PlatformSection, _ settings: Settings) throws(VaultError) {
        if platform[\.clientID].isEmpty {
            throw VaultError(
                .settings, "platforms.\(platform.name) has no client-id",
                hint: "register an application at the provider and set client-id, or "
                    + "\(EnvironmentNames.upper(platform.name.rawValue))_CLIENT_ID")
        }
        if let secret = platform[\.clientSecret] {
            try checkWritten(
                secret, platform.origin(\.clientSecret), "platforms.\(platform.name).client-secret", settings)
        }
        if WebAddress(platform.redirectURI(settings))?.isExposed == true {
            throw platform.fault(
                \.redirectURI, "is plain http, so codes could be read on the way",
                hint: "use https; plain http is for 127.0.0.1 only")
        }
        for (name, parameter) in platform.parameters.sorted(by: { $0.key < $1.key }) {
            guard parameter.value.hasPrefix("http://") else { continue }
            guard let address = WebAddress(parameter.value), address.isLoopback else {
                throw VaultError(
                    .settings, "\(parameter.origin.words): platforms.\(platform.name).\(name) is plain http",
                    hint: "use https; plain http is for a provider on this machine only")
            }
            guard platform[\.insecureLoopback] else {
                throw VaultError(
                    .settings, "\(parameter.origin.words): platforms.\(platform.name).\(name) is plain http",
                    hint: "say insecure-loopback = true to allow it for a provider on this machine")
            }
        }
    }

    /// A plugin's code is loaded once, for all platforms of its provider.
    private static func checkIsolation(_ settings: Settings) throws(VaultError) {
        var first: [String: PlatformSection] = [:]
        for platform in settings.platforms {
            guard let other = first[platform.provider] else {
                first[platform.provider] = platform
                continue
            }
            let (here, there) = (platform[\.isolation], other[\.isolation])
            guard (here ?? settings[\.isolation]) != (there ?? settings[\.isolation]) else { continue }
            let (said, silent) = here == nil ? (other, platform) : (platform, other)
            throw said.fault(
                \.isolation, "is not that of platforms.\(silent.name), which has the same provider",
                hint: "say the same in both: a plugin's code is loaded once")
        }
    }

    /// `10.0.0.2`, `10.0.0.0/8`, `fd00::/8`
    private static func isNetwork(_ text: String) -> Bool {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard let host = parts.first, !host.isEmpty, parts.count <= 2 else { return false }
        let isSix = host.contains(":")
        if parts.count == 2 {
            guard let bits = Int(parts[1]), (0...(isSix ? 128 : 32)).contains(bits) else { return false }
        }
        if isSix { return host.allSatisfy { $0.isHexDigit || $0 == ":" || $0 == "." } }
        let numbers = host.split(separator: ".", omittingEmptySubsequences: false)
        return numbers.count == 4 && numbers.allSatisfy { UInt8($0) != nil }
    }
}

extension WebhookSection {
    /// - Throws: `settings` naming what is wrong.
    func webhook(secret: Secret) throws(VaultError) -> Webhook {
        try Webhook(
            name: name, url: self[\.url], secret: secret, kinds: self[\.events],
            allowsPrivateNetwork: self[\.allowPrivateNetwork])
    }
}

extension Webhook {
    /// A secret of the right form, for looking at everything else while settings are read.
    fileprivate static let sample = Secret("whsec_" + Base64.encode([UInt8](repeating: 0, count: 32)))
}

/// `spotify.so=<sha256>` in `plugins.pins`.
enum PluginPins {
    static func read(_ items: [String]) throws(VaultError) -> [String: String] {
        var pins: [String: String] = [:]
        for item in items {
            guard let equals = item.firstIndex(of: "="), let hash = Hex.decode(item[item.index(after: equals)...]),
                hash.count == 32, equals != item.startIndex
            else {
                throw VaultError(
                    .settings, "has an entry that is no pin",
                    hint: "a pin is the file's name, =, and its sha256 in hex: sha256sum shows it")
            }
            pins[String(item[..<equals])] = Hex.encode(hash)
        }
        return pins
    }
}
