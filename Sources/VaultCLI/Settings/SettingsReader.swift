import VaultBase

/// Puts the settings together: defaults, then the file, then the environment, then the command line.
struct SettingsReader {
    var environment: [String: String]
    /// `--set KEY=VALUE` and `--store-path VALUE`, in order.
    var options: [(path: String, value: String, option: String)]
    private var settings = Settings()
    private var sections: [PlatformName: PlatformSection] = [:]
    private var webhooks: [String: WebhookSection] = [:]

    init(environment: [String: String], options: [(path: String, value: String, option: String)]) {
        self.environment = environment
        self.options = options
    }

    /// - Parameter file: what vault.conf says; nil when there is none.
    /// - Throws: `settings` at the first thing that is wrong.
    static func read(
        _ file: SettingsFile?, environment: [String: String] = [:],
        options: [(path: String, value: String, option: String)] = []
    ) throws(VaultError) -> Settings {
        var reader = Self(environment: environment, options: options)
        if let file { try reader.add(file) }
        try reader.addEnvironment()
        for option in options {
            try reader.add(option.path.splitPath, .text(option.value), .option(option.option))
        }
        reader.settings.platforms = reader.sections.values.sorted { $0.name < $1.name }
        reader.settings.webhooks = reader.webhooks.values.sorted { $0.name < $1.name }
        try SettingsRules.check(reader.settings)
        return reader.settings
    }

    private mutating func add(_ file: SettingsFile) throws(VaultError) {
        settings.file = file.name
        for entry in file.entries {
            try add(entry.path, entry.raw, .file(file.name, line: entry.line))
        }
    }

    private mutating func add(_ path: [String], _ raw: RawValue, _ origin: SettingOrigin) throws(VaultError) {
        if path.first == "platforms", path.count > 1 {
            return try addToPlatform(path, raw, origin)
        }
        if path.first == "webhooks", path.count > 1 { return try addToWebhook(path, raw, origin) }
        let joined = path.joined(separator: ".")
        if raw == .other("an empty section"), SettingTable.all.contains(where: { $0.path.hasPrefix(joined + ".") }) {
            return
        }
        guard let setting = SettingTable.all.first(where: { $0.path == joined }) else {
            throw Self.unknown(joined, origin, among: SettingTable.all.map(\.path) + ["platforms", "webhooks"])
        }
        try Self.check(raw, setting, joined, origin)
        settings.entries[joined] = SettingEntry(raw: raw, origin: origin)
    }

    private mutating func addToPlatform(_ path: [String], _ raw: RawValue, _ origin: SettingOrigin) throws(VaultError) {
        let name = try Self.name(path[1], "platform", origin)
        var section = sections[name] ?? PlatformSection(name: name)
        defer { sections[name] = section }
        if path.count == 2 {
            guard raw == .other("an empty section") else {
                throw VaultError(
                    .settings, "\(origin.words): platforms.\(name) is a section, not a value",
                    hint: "write [platforms.\(name)] and its settings beneath")
            }
            return
        }
        let key = path[2...].joined(separator: ".")
        let place = "platforms.\(name).\(key)"
        if let setting = PlatformTable.all.first(where: { $0.path == key }) {
            try Self.check(raw, setting, place, origin)
            section.entries[key] = SettingEntry(raw: raw, origin: origin)
            return
        }
        // What a provider asks for has any name; one that is nearly ours is a typing error.
        if path.count > 3 || NearestName.of(key, among: PlatformTable.all.map(\.path)) != nil {
            throw Self.unknown(place, origin, among: PlatformTable.all.map { "platforms.\(name).\($0.path)" })
        }
        guard let text = raw.characters else {
            throw VaultError(
                .settings, "\(origin.words): \(place) expects a string in quotes, not \(raw.words)",
                hint: "write: \(key) = \"…\"")
        }
        section.parameters[key] = (text, origin)
    }

    private mutating func addToWebhook(_ path: [String], _ raw: RawValue, _ origin: SettingOrigin) throws(VaultError) {
        let name = try Self.name(path[1], "webhook", origin).rawValue
        var section = webhooks[name] ?? WebhookSection(name: name)
        defer { webhooks[name] = section }
        guard path.count > 2 else {
            guard raw == .other("an empty section") else {
                throw VaultError(
                    .settings, "\(origin.words): webhooks.\(name) is a section, not a value",
                    hint: "write [webhooks.\(name)] and its settings beneath")
            }
            return
        }
        let key = path[2...].joined(separator: ".")
        let place = "webhooks.\(name).\(key)"
        guard let setting = WebhookTable.all.first(where: { $0.path == key }) else {
            throw Self.unknown(place, origin, among: WebhookTable.all.map { "webhooks.\(name).\($0.path)" })
        }
        try Self.check(raw, setting, place, origin)
        section.entries[key] = SettingEntry(raw: raw, origin: origin)
    }

    private static func name(
        _ text: String, _ what: String, _ origin: SettingOrigin
    ) throws(VaultError) -> PlatformName {
        do {
            return try PlatformName(text)
        } catch {
            throw VaultError(
                .settings, "\(origin.words): \"\(text)\" is no \(what)'s name",
                hint: "a \(what) name is 1 to \(PlatformName.limit) of a-z, 0-9 and -")
        }
    }

    private mutating func addEnvironment() throws(VaultError) {
        for (name, path) in EnvironmentNames.seeds {
            if let value = environment[name], !value.isEmpty {
                try add(path.splitPath, .text(value), .environment(name))
            }
        }
        for setting in SettingTable.all {
            if let value = environment[setting.environmentName] {
                try add(setting.path.splitPath, .text(value), .environment(setting.environmentName))
            }
        }
        for name in sections.keys.sorted() { try addEnvironment(of: name) }
        addUnclaimed()
        addNotices()
    }

    private mutating func addEnvironment(of platform: PlatformName) throws(VaultError) {
        let upper = EnvironmentNames.upper(platform.rawValue)
        for (ending, key) in EnvironmentNames.platformSeeds {
            let name = "\(upper)_\(ending)"
            if let value = environment[name], !value.isEmpty {
                try add(["platforms", platform.rawValue, key], .text(value), .environment(name))
            }
        }
        for setting in PlatformTable.all {
            let name = "VAULT_PLATFORMS_\(upper)_\(EnvironmentNames.upper(setting.path))"
            if let value = environment[name] {
                try add(["platforms", platform.rawValue, setting.path], .text(value), .environment(name))
            }
        }
    }

    /// `SPOTIFY_CLIENT_ID` without a section: a platform, if a provider is called `spotify`.
    private mutating func addUnclaimed() {
        for name in environment.keys.sorted() where name.hasSuffix("_CLIENT_ID") && !name.hasPrefix("VAULT_") {
            guard environment[name]?.isEmpty == false,
                let platform = EnvironmentNames.platform(name.dropLast("_CLIENT_ID".count)), sections[platform] == nil
            else { continue }
            var section = PlatformSection(name: platform)
            for (ending, key) in EnvironmentNames.platformSeeds {
                let full = "\(EnvironmentNames.upper(platform.rawValue))_\(ending)"
                guard let value = environment[full], !value.isEmpty else { continue }
                section.entries[key] = SettingEntry(raw: .text(value), origin: .environment(full))
            }
            settings.unclaimed.append(section)
        }
    }

    private mutating func addNotices() {
        for name in EnvironmentNames.dynamo where environment[name]?.isEmpty == false {
            settings.notices.append("\(name) does nothing while store.backend is \"lmdb\"")
        }
        let known = SettingTable.all.map(\.environmentName)
        let claimed = Set(known + ["VAULT_CONFIG"])
        for name in environment.keys.sorted()
        where name.hasPrefix("VAULT_") && !name.hasPrefix("VAULT_PLATFORMS_") && !claimed.contains(name) {
            // The prefix would make every name look near: others use it too.
            let rest = String(name.dropFirst("VAULT_".count))
            if let near = NearestName.of(rest, among: known.map { String($0.dropFirst("VAULT_".count)) }) {
                settings.notices.append("\(name) is no setting; did you mean VAULT_\(near)?")
            }
        }
    }

    private static func check(
        _ raw: RawValue, _ setting: any AnySetting, _ place: String, _ origin: SettingOrigin
    ) throws(VaultError) {
        guard !setting.accepts(raw) else { return }
        // What was written may be a secret, so only plain settings are repeated.
        let shown = Self.mayShow(setting, raw) ? ", not \(raw.words)" : ""
        throw VaultError(
            .settings, "\(origin.words): \(place) expects \(setting.expects)\(shown)", hint: "\(place): \(setting.doc)")
    }

    private static func mayShow(_ setting: any AnySetting, _ raw: RawValue) -> Bool {
        !(setting is Setting<SecretReference?>) && !["session.previous-secrets", "key.source"].contains(setting.path)
    }

    private static func unknown(
        _ path: String, _ origin: SettingOrigin, among known: [String]
    ) -> VaultError {
        var hint = "every setting stands in vault.conf, with its default"
        if let near = NearestName.of(path, among: known) {
            hint = "did you mean \(near)?"
        } else if let last = path.split(separator: ".").last,
            let near = known.first(where: { $0.split(separator: ".").last == last })
        {
            // The right name in the wrong section.
            hint = "did you mean \(near)?"
        }
        return VaultError(.settings, "\(origin.words): unknown setting \(path)", hint: hint)
    }
}

extension String {
    /// `store.path` → `["store", "path"]`
    var splitPath: [String] { split(separator: ".", omittingEmptySubsequences: false).map(String.init) }
}
