import VaultBase
import VaultProviders

/// Every setting's value, with where it came from.
///
/// Made by ``SettingsReader``, which has checked each value against its form; the values here can be read
/// without failing.
struct Settings: Sendable {
    /// The file they were read from; nil when there was none.
    var file: String?
    /// What was set, by path; what is missing has its default.
    var entries: [String: SettingEntry] = [:]
    /// In order of name.
    var platforms: [PlatformSection] = []
    /// The names of the environment that may be a platform, should a provider be called so.
    var unclaimed: [PlatformSection] = []
    /// In order of name.
    var webhooks: [WebhookSection] = []
    /// What the operator should know, and need not act upon at once.
    var notices: [String] = []

    subscript<Value>(_ setting: KeyPath<SettingTable, Setting<Value>>) -> Value {
        let setting = SettingTable.shared[keyPath: setting]
        return Self.value(of: setting, in: entries)
    }

    /// Where the value came from.
    func origin<Value>(_ setting: KeyPath<SettingTable, Setting<Value>>) -> SettingOrigin {
        entries[SettingTable.shared[keyPath: setting].path]?.origin ?? .standard
    }

    static func value<Value>(of setting: Setting<Value>, in entries: [String: SettingEntry]) -> Value {
        let raw = entries[setting.path]?.raw ?? setting.standard
        guard let raw, let value = setting.form.read(raw) else {
            preconditionFailure("\(setting.path) was not checked when it was read, or its default is not of its form")
        }
        return value
    }

    /// An error about one setting, beginning with the place it was written.
    func fault<Value>(
        _ setting: KeyPath<SettingTable, Setting<Value>>, _ words: String, hint: String
    ) -> VaultError {
        let path = SettingTable.shared[keyPath: setting].path
        return VaultError(.settings, "\(origin(setting).words): \(path) \(words)", hint: hint)
    }

    /// The vault's own address as browsers see it, without a slash at the end.
    var publicURL: String {
        let given = self[\.publicURL]
        if !given.isEmpty { return given.hasSuffix("/") ? String(given.dropLast()) : given }
        return "\(self[\.certificates].isEmpty ? "http" : "https")://\(self[\.listen])"
    }

    /// The client id of each platform, whether its provider is usable or not.
    var clientIDs: [PlatformName: String] {
        Dictionary((platforms + unclaimed).map { ($0.name, $0[\.clientID]) }, uniquingKeysWith: { first, _ in first })
    }

    /// Where the plugins of some providers run, in place of `plugins.isolation`.
    var isolations: [String: Isolation] {
        platforms.reduce(into: [:]) { all, platform in
            if let isolation = platform[\.isolation] { all[platform.provider] = isolation }
        }
    }

    /// Where a finished login returns to.
    var frontendURL: String { self[\.frontendURL].isEmpty ? publicURL : self[\.frontendURL] }

    /// Whether only this machine can reach the vault: what allows plain http and written-down secrets.
    var isLoopbackOnly: Bool { self[\.listen].isLoopback }
}

/// One `[webhooks.NAME]`.
struct WebhookSection: Sendable {
    let name: String
    /// What was set, by key.
    var entries: [String: SettingEntry] = [:]

    subscript<Value>(_ setting: KeyPath<WebhookTable, Setting<Value>>) -> Value {
        Settings.value(of: WebhookTable.shared[keyPath: setting], in: entries)
    }

    func origin<Value>(_ setting: KeyPath<WebhookTable, Setting<Value>>) -> SettingOrigin {
        entries[WebhookTable.shared[keyPath: setting].path]?.origin ?? .standard
    }
}

/// One `[platforms.NAME]`.
struct PlatformSection: Sendable {
    let name: PlatformName
    /// What was set, by key.
    var entries: [String: SettingEntry] = [:]
    /// What the provider asks for by name (`issuer`, `tenant`), with where it was written.
    var parameters: [String: (value: String, origin: SettingOrigin)] = [:]

    subscript<Value>(_ setting: KeyPath<PlatformTable, Setting<Value>>) -> Value {
        Settings.value(of: PlatformTable.shared[keyPath: setting], in: entries)
    }

    func origin<Value>(_ setting: KeyPath<PlatformTable, Setting<Value>>) -> SettingOrigin {
        entries[PlatformTable.shared[keyPath: setting].path]?.origin ?? .standard
    }

    /// The provider it uses.
    var provider: String { self[\.provider].isEmpty ? name.rawValue : self[\.provider] }

    /// The redirect URI: a constant of the configuration, never of a request.
    func redirectURI(_ settings: Settings) -> String {
        let given = self[\.redirectURI]
        return given.isEmpty ? "\(settings.publicURL)/auth/\(name)/callback" : given
    }

    func fault<Value>(
        _ setting: KeyPath<PlatformTable, Setting<Value>>, _ words: String, hint: String
    ) -> VaultError {
        let path = PlatformTable.shared[keyPath: setting].path
        return VaultError(.settings, "\(origin(setting).words): platforms.\(name).\(path) \(words)", hint: hint)
    }
}
