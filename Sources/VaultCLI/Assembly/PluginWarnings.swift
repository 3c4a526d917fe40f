import Logging
import VaultBase
import VaultProviders

extension Logger {
    /// Tells of each plugin that cannot be used, and of what the others could do where this system does not hold them
    /// by everything: once, however many they are.
    func warn(of plugins: [PluginReport]) {
        for plugin in plugins {
            guard let fault = plugin.fault else { continue }
            warning(
                "a plugin cannot be used: \(fault.message)",
                metadata: ["file": "\(plugin.path)", "hint": "\(fault.hint ?? "see: vault plugins")"])
        }
        for (opening, files) in plugins.openings {
            warning(
                "a plugin is not held by all that could hold it: \(opening)",
                metadata: ["files": "\(files.joined(separator: " "))", "hint": "\(Self.openingHint)"])
        }
    }

    static let openingHint =
        "trust these plugins as vault itself, and pin them (plugins.pins), or see to a kernel, "
        + "sandbox or container that allows seccomp and Landlock"
}

extension [PluginReport] {
    /// What is left open, each with the files that it is said of.
    fileprivate var openings: [(opening: String, files: [String])] {
        Dictionary(grouping: flatMap { plugin in plugin.openings.map { ($0, plugin.fileName) } }, by: \.0)
            .map { ($0.key, $0.value.map(\.1)) }.sorted { $0.opening < $1.opening }
    }
}
