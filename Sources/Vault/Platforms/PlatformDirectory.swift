public import VaultBase
public import VaultProviders

/// The configured platforms, usable or not.
public final class PlatformDirectory: Sendable {
    /// One section of vault.conf.
    public struct Entry: Sendable {
        public var name: PlatformName
        public var displayName: String
        /// nil when the provider is not usable.
        public var platform: Platform?
        /// Why not.
        public var fault: VaultError?

        public init(name: PlatformName, displayName: String, platform: Platform?, fault: VaultError?) {
            self.name = name
            self.displayName = displayName
            self.platform = platform
            self.fault = fault
        }
    }

    /// In order of name.
    public let entries: [Entry]
    private let byName: [PlatformName: Entry]

    /// Of two entries with one name, the first counts.
    public init(_ entries: [Entry]) {
        self.entries = entries.sorted { $0.name < $1.name }
        byName = Dictionary(entries.map { ($0.name, $0) }) { first, _ in first }
    }

    /// - Throws: `no-platform`, or `platform-unavailable` with the reason and what to do.
    public func platform(_ name: PlatformName) throws(VaultError) -> Platform {
        guard let entry = byName[name] else {
            throw VaultError(
                .noPlatform, "no platform \(name) is configured",
                hint: "see the platforms there are with: vault plugins")
        }
        if let platform = entry.platform { return platform }
        var fault = VaultError(.platformUnavailable, "\(name) is not available", hint: "see why with: vault plugins")
        if let reason = entry.fault {
            fault.message += ": \(reason.message)"
            fault.hint = reason.hint ?? fault.hint
            fault.cause = reason
        }
        throw fault
    }
}
