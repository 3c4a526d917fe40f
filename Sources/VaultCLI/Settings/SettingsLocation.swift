import Glibc
import Synchronization
import VaultBase

/// Finds vault.conf and reads all settings for one run of the program.
enum SettingsLocation {
    /// Where it is looked for, the first wins.
    static func candidates(_ environment: [String: String]) -> [String] {
        let home = environment["XDG_CONFIG_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil } ?? FilePath.home + "/.config"
        return ["vault.conf", home + "/vault/vault.conf", "/etc/vault/vault.conf"]
    }

    /// The file named by `--config` or `VAULT_CONFIG`, which must be there, or the first there is.
    static func find(option: String?, environment: [String: String]) throws(VaultError) -> String? {
        let named = option ?? environment["VAULT_CONFIG"].flatMap { $0.isEmpty ? nil : $0 }
        guard let named else { return candidates(environment).first(where: FilePath.exists) }
        let path = FilePath.expand(named)
        guard FilePath.exists(path) else {
            throw VaultError(
                .settings, "there is no \(path)",
                hint: option == nil
                    ? "VAULT_CONFIG names it" : "--config names it; without, vault looks in the usual places")
        }
        return path
    }

    static func read(
        config: String?, options: [(path: String, value: String, option: String)], environment: [String: String]
    ) throws(VaultError) -> Settings {
        guard let path = try find(option: config, environment: environment) else {
            return try SettingsReader.read(nil, environment: environment, options: options)
        }
        let bytes: [UInt8]
        do {
            bytes = try PrivateFile.read(path, limit: 1 << 20, mode: .secret)
        } catch {
            throw VaultError(.settings, error.message, hint: error.hint)
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw VaultError(.settings, "\(path) is no UTF-8", hint: "save it as UTF-8 text")
        }
        return try SettingsReader.read(try parse(path, text), environment: environment, options: options)
    }

    /// The last one is kept: a server reads its file at every reload, most often unchanged, and TOMLKit never gives
    /// back the memory that a text took.
    private static func parse(_ path: String, _ text: String) throws(VaultError) -> SettingsFile {
        if let last = last.withLock({ $0 }), last.text == text, last.file.name == path { return last.file }
        let file = try SettingsFile(name: path, text: text)
        last.withLock { $0 = (text, file) }
        return file
    }

    private static let last = Mutex<(text: String, file: SettingsFile)?>(nil)
}
