import Synchronization
public import VaultBase
public import VaultProviders

/// The plugins of a running vault, and what its settings say of platforms: replaced as one by a reload.
public final class LoadedPlugins: Sendable {
    private let state: Mutex<(reports: [PluginReport], clientIDs: [PlatformName: String])>

    /// - Parameter clientIDs: of each configured platform, also of one whose provider is not usable now.
    public init(_ reports: [PluginReport], clientIDs: [PlatformName: String]) {
        state = Mutex((reports, clientIDs))
    }

    public var reports: [PluginReport] { state.withLock { $0.reports } }
    public var clientIDs: [PlatformName: String] { state.withLock { $0.clientIDs } }

    public func replace(_ reports: [PluginReport], clientIDs: [PlatformName: String]) {
        state.withLock { $0 = (reports, clientIDs) }
    }
}
