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

    public init(_ entries: [Entry]) { self.entries = entries.sorted { $0.name < $1.name } }

    /// - Throws: `no-platform`, or `platform-unavailable` with the reason and what to do.
    public func platform(_ name: PlatformName) throws(VaultError) -> Platform { fatalError("stub") }
}
