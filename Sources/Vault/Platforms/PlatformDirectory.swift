import Synchronization
public import VaultBase
public import VaultProviders

/// The configured platforms, usable or not. They can be replaced while requests go on: what has begun with one platform
/// ends with it.
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

    /// What became of the platforms when they were replaced, by name, each list in order.
    public struct Changes: Sendable, Equatable {
        public var added: [PlatformName] = []
        public var changed: [PlatformName] = []
        public var removed: [PlatformName] = []
    }

    private struct Table {
        var entries: [Entry] = []
        /// With the number of the replacement that brought it.
        var byName: [PlatformName: (entry: Entry, generation: UInt64)] = [:]
        /// What signs the clients' JWTs, where there are any: asked at every read of a token.
        var signers: [PlatformName: any ClientTokenSigner] = [:]
        var generation: UInt64 = 0
    }
    private let table = Mutex(Table())

    /// Of two entries with one name, the first counts.
    public init(_ entries: [Entry]) { replace(entries) }

    /// In order of name.
    public var entries: [Entry] { table.withLock { $0.entries } }

    /// Puts other platforms in place of all there are. One that is the same as before stays what it was: what is known
    /// of it, such as its metadata, goes on holding.
    @discardableResult public func replace(_ entries: [Entry]) -> Changes {
        table.withLock { table in
            let before = table.byName
            table.generation += 1
            table.entries = entries.sorted { $0.name < $1.name }
            table.byName = [:]
            var changes = Changes()
            for entry in entries where table.byName[entry.name] == nil {
                let earlier = before[entry.name]
                let stays = earlier.map { entry.isSame(as: $0.entry) } ?? false
                table.byName[entry.name] = (entry, stays ? earlier?.generation ?? 0 : table.generation)
                if earlier == nil {
                    changes.added.append(entry.name)
                } else if !stays {
                    changes.changed.append(entry.name)
                }
            }
            table.signers = table.byName.compactMapValues { $0.entry.platform?.clientTokens }
            changes.removed = before.keys.filter { table.byName[$0] == nil }.sorted()
            changes.added.sort()
            changes.changed.sort()
            return changes
        }
    }

    /// - Throws: `no-platform`, or `platform-unavailable` with the reason and what to do.
    public func platform(_ name: PlatformName) throws(VaultError) -> Platform { try current(name).platform }

    /// Whether tokens of this platform are had by asking anew, without a refresh token.
    func renews(_ name: PlatformName) -> Bool {
        table.withLock { $0.byName[name]?.entry.platform?.provider.description.flow == .clientCredentials }
    }

    /// What signs the client's JWTs there; nil where there are none.
    func clientTokens(of name: PlatformName) -> (any ClientTokenSigner)? {
        table.withLock { $0.signers[name] }
    }

    /// The same, with a number that changes when the platform does.
    func current(_ name: PlatformName) throws(VaultError) -> (platform: Platform, generation: UInt64) {
        guard let (entry, generation) = table.withLock({ $0.byName[name] }) else {
            throw VaultError(
                .noPlatform, "no platform \(name) is configured",
                hint: "see the platforms there are with: vault plugins")
        }
        if let platform = entry.platform { return (platform, generation) }
        var fault = VaultError(.platformUnavailable, "\(name) is not available", hint: "see why with: vault plugins")
        if let reason = entry.fault {
            fault.message += ": \(reason.message)"
            fault.hint = reason.hint ?? fault.hint
            fault.cause = reason
        }
        throw fault
    }
}

extension PlatformDirectory.Entry {
    fileprivate func isSame(as other: Self) -> Bool {
        guard displayName == other.displayName, fault?.message == other.fault?.message else { return false }
        return switch (platform, other.platform) {
        case (nil, nil): true
        case (let ours?, let theirs?): ours.isSame(as: theirs)
        default: false
        }
    }
}
