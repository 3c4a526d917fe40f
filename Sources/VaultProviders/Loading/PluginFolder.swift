public import VaultBase

/// Where a plugin's code runs.
public enum Isolation: String, Sendable, CaseIterable {
    /// In a child process without network, files or privileges. The default.
    case process
    /// In this process, for plugins that are trusted like this program.
    case inProcess = "in-process"
}

/// What became of one `.so`: a provider, or the reason it is none.
public struct PluginReport: Sendable {
    public var path: String
    /// nil when it could not be used.
    public var provider: Provider?
    public var fault: VaultError?
    public var isolation: Isolation
    /// The protections that are active for it, for `vault plugins` ("seccomp", "landlock", …).
    public var protections: [String]
}

/// Loads every `.so` of a folder.
///
/// Degrade, never brick: an unusable plugin becomes a report with its fault; the others load.
public struct PluginFolder: Sendable {
    /// - Parameter hostProgram: what to run as the child (`vault plugin-host FILE`); needed for `process`.
    public init(path: String, isolation: Isolation, hostProgram: [String], pins: [String: String] = [:]) {
        fatalError("stub")
    }
    public func load() async -> [PluginReport] { fatalError("stub") }
}

/// What the hidden command `vault plugin-host FILE` runs: loads the plugin, enters the sandbox, answers on descriptor 3.
public enum PluginHost {
    public static func run(_ path: String) -> Never { fatalError("stub") }
}
