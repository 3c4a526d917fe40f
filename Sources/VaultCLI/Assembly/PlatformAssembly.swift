import Vault
import VaultBase
import VaultProviders

/// Makes the platforms of the settings from the providers that are loaded.
///
/// Degrade, never brick: a platform that cannot be made becomes an entry with its fault.
struct PlatformAssembly {
    let settings: Settings
    let reports: [PluginReport]
    let environment: [String: String]

    /// The generic providers' own names for what the operator must say.
    static let generic = [
        "issuer", "authorize", "token", "refresh", "revoke", "profile", "validate", "userinfo", "subject", "account-id",
    ]

    func directory(extra: [PlatformDirectory.Entry] = []) throws(VaultError) -> PlatformDirectory {
        var entries = extra
        let taken = Set(extra.map(\.name))
        for section in settings.platforms where !taken.contains(section.name) { entries.append(try entry(section)) }
        for section in settings.unclaimed where provider(section.provider) != nil {
            try SettingsRules.check(section, settings)
            entries.append(try entry(section))
        }
        return PlatformDirectory(entries)
    }

    /// - Throws: `settings` for a name the provider does not ask for; everything else is the entry's fault.
    func entry(_ section: PlatformSection) throws(VaultError) -> PlatformDirectory.Entry {
        guard let provider = provider(section.provider) else {
            return faulty(section, missing(section.provider))
        }
        try checkParameters(section, provider)
        let secret: Secret?
        do {
            secret = try section[\.clientSecret]?.fetch(
                "platforms.\(section.name).client-secret", environment: environment)
        } catch {
            return faulty(section, error)
        }
        if let secret { Redaction.shared.register(secret) }
        let name = section[\.displayName]
        var parameters = section.parameters.mapValues(\.value)
        if section[\.allowPrivateNetwork] { parameters["allow-private-network"] = "true" }
        var platform = Platform(
            name: section.name, displayName: name.isEmpty ? nil : name, provider: provider,
            clientID: section[\.clientID], clientSecret: secret, redirectURI: section.redirectURI(settings),
            scopes: section[\.scopes].isEmpty ? nil : section[\.scopes],
            parameters: parameters, insecureLoopback: section[\.insecureLoopback])
        var known = platform
        // A command beside no server knows no port yet where the settings leave it open.
        if settings[\.listen].port == 0, settings[\.publicURL].isEmpty, section[\.redirectURI].isEmpty {
            known.redirectURI = "https://callback.invalid/"
        }
        do throws(VaultError) {
            try known.check()
            if provider.description.clientToken != nil { platform.clientTokens = try ClientTokenKey(platform) }
        } catch { return faulty(section, error) }
        return PlatformDirectory.Entry(
            name: section.name, displayName: platform.displayName, platform: platform, fault: nil)
    }

    private func faulty(_ section: PlatformSection, _ fault: VaultError) -> PlatformDirectory.Entry {
        let name = section[\.displayName]
        return PlatformDirectory.Entry(
            name: section.name, displayName: name.isEmpty ? section.name.rawValue : name, platform: nil, fault: fault)
    }

    private func provider(_ id: String) -> Provider? {
        reports.lazy.compactMap(\.provider).first { $0.description.id == id }
    }

    /// Why there is no such provider: its file has a fault, or there is no file.
    private func missing(_ id: String) -> VaultError {
        let file = reports.first { $0.provider == nil && $0.fileName == "\(id).so" }
        if let fault = file?.fault { return VaultError(.platformUnavailable, fault.message, hint: fault.hint) }
        return VaultError(
            .platformUnavailable, "no plugin in \(settings[\.plugins]) provides \(id)",
            hint: "put \(id).so there, then: vault plugins reload; see what there is with: vault plugins")
    }

    private func checkParameters(_ section: PlatformSection, _ provider: Provider) throws(VaultError) {
        let known = provider.description.userParameters + Self.generic
        for (name, parameter) in section.parameters.sorted(by: { $0.key < $1.key }) where !known.contains(name) {
            let near = NearestName.of(name, among: known + PlatformTable.all.map(\.path))
            throw VaultError(
                .settings, "\(parameter.origin.words): unknown setting platforms.\(section.name).\(name)",
                hint: near.map { "did you mean \($0)?" }
                    ?? "the provider \(provider.description.id) asks for no setting of that name")
        }
    }
}
