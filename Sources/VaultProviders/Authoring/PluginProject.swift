public import VaultBase

/// A starting project for a plugin, as `vault plugin new` writes it: it builds with one command, anywhere, without this
/// repository.
public struct PluginProject: Sendable {
    public enum Language: String, Sendable, CaseIterable { case swift, c }

    public struct File: Sendable, Equatable {
        /// Within the project's folder.
        public var path: String
        public var text: String
        public var isProgram = false
    }

    public let name: PlatformName
    public let language: Language

    /// - Parameter name: what `provider =` will name.
    public init(_ name: PlatformName, _ language: Language) {
        self.name = name
        self.language = language
    }

    /// What people would call it, and a Swift module can be called: `my-idp` is `MyIdp`.
    var title: String {
        let words = name.rawValue.split(separator: "-").map { $0.prefix(1).uppercased() + $0.dropFirst() }
        let joined = words.joined()
        return joined.first?.isLetter == true ? joined : "Plugin\(joined)"
    }

    /// Where the built plugin is, within the project's folder.
    public var product: String { "\(name).so" }

    /// What its author changes.
    public var source: String { language == .c ? "\(name).c" : "\(title).swift" }

    public var files: [File] {
        var files = [
            File(path: source, text: language == .c ? cSource : swiftSource),
            File(path: "build.sh", text: language == .c ? cScript : swiftScript, isProgram: true),
            File(path: "README.md", text: readme),
            File(path: "vault/vault_plugin.h", text: EmbeddedFiles.header + "\n"),
            File(path: "vault/export.map", text: EmbeddedFiles.exportMap + "\n"),
        ]
        if language == .swift {
            files += [
                File(path: "vault/module.modulemap", text: "module VaultABI { header \"vault_plugin.h\" export * }\n"),
                File(path: "vault/VaultPluginKit/Hooks.swift", text: EmbeddedFiles.hooks + "\n"),
                File(path: "vault/VaultPluginKit/Provider.swift", text: EmbeddedFiles.provider + "\n"),
                File(path: "vault/VaultPluginKit/Published.swift", text: EmbeddedFiles.published + "\n"),
            ]
        }
        return files
    }
}
