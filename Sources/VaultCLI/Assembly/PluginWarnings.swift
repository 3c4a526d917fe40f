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
        for (opening, files) in PluginOpenings.grouped(plugins.map { ($0.fileName, $0.openings) }) {
            warning(
                "a plugin is not held by all that could hold it: \(opening)",
                metadata: ["files": "\(files.joined(separator: " "))", "hint": "\(PluginOpenings.hint)"])
        }
    }
}

/// What the protections that this system lacks leave open.
enum PluginOpenings {
    static let hint =
        "trust these plugins as vault itself, and pin them (plugins.pins), or see to a kernel, "
        + "sandbox or container that allows seccomp and Landlock"

    /// Each opening once, in order, with the files that it is said of.
    static func grouped(_ plugins: [(file: String, openings: [String])]) -> [(opening: String, files: [String])] {
        Dictionary(grouping: plugins.flatMap { plugin in plugin.openings.map { ($0, plugin.file) } }, by: \.0)
            .map { ($0.key, $0.value.map(\.1)) }.sorted { $0.opening < $1.opening }
    }
}
