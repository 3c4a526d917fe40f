public import VaultBase

#if canImport(Glibc)
    import Glibc
#endif

/// A folder of one vault's backups, which it names, finds again and thins out.
///
/// `vault-<8 digits of the vault's id>-<moment>-full.backup`, or `…-increment.backup`. Only what is called so and
/// begins as a backup of this vault is touched; everything else in the folder is somebody else's.
public struct BackupFolder: Sendable {
    public struct Item: Sendable {
        public var path: String
        public var inspection: Backup.Inspection
        public var isFull: Bool { inspection.since == nil }
    }

    public let path: String
    private let vaultID: String
    private var prefix: String { "vault-\(vaultID.prefix(8))-" }
    private static let ending = ".backup"

    /// - Parameter vaultID: in hexadecimal.
    public init(_ path: String, vaultID: String) {
        self.path = path
        self.vaultID = vaultID
    }

    /// Where a new one goes.
    public func newPath(at time: Timestamp, isIncrement: Bool) -> String {
        let moment = time.iso8601.filter { $0 != "-" && $0 != ":" }
        return "\(path)/\(prefix)\(moment)-\(isIncrement ? "increment" : "full")\(Self.ending)"
    }

    /// This vault's backups, oldest first. One whose beginning cannot be read is left out.
    ///
    /// - Throws: `file` when the folder cannot be read.
    public func items() throws(VaultError) -> [Item] { try look().items }

    /// - Returns: this vault's backups, oldest first, and the paths of files that are called so and do not begin so.
    private func look() throws(VaultError) -> (items: [Item], unreadable: [String]) {
        var (items, unreadable): ([Item], [String]) = ([], [])
        for name in try names() where name.hasPrefix(prefix) && name.hasSuffix(Self.ending) {
            let file = "\(path)/\(name)"
            guard let inspection = try? Backup.inspect(file) else {
                unreadable.append(file)
                continue
            }
            // The name has not all of the id: it may be another vault's.
            guard Hex.encode(inspection.vaultID) == vaultID else { continue }
            items.append(Item(path: file, inspection: inspection))
        }
        items.sort {
            let (one, other) = ($0.inspection, $1.inspection)
            return (one.createdAt, one.end.sequence) < (other.createdAt, other.end.sequence)
        }
        return (items, unreadable)
    }

    /// The newest full backup with the increments that follow it without a gap; empty when there is none.
    public func newest() throws(VaultError) -> [Item] { Self.chain(try items()) }

    /// The same chain where it is what was made last.
    ///
    /// - Throws: ``Stray`` for a file that, by the moment in its name, is newer than all of the chain and of no use:
    ///   it does not begin as a backup, or nothing leads to it.
    public func newestToTry() throws -> [Item] {
        let (items, unreadable) = try look()
        let chain = Self.chain(items)
        let end = chain.map { Paths.name(of: $0.path) }.max() ?? ""
        // Names of one vault differ by their moment first.
        let strays = (unreadable + items.map(\.path)).filter { Paths.name(of: $0) > end }
        guard let newest = strays.max() else { return chain }
        throw Stray(path: newest, isReadable: !unreadable.contains(newest), before: chain.last?.path)
    }

    /// What looks like the newest backup and is none that can be restored.
    public struct Stray: Error {
        public var path: String
        var isReadable: Bool
        var before: String?

        public var error: VaultError {
            let before = before.map { "; the newest that may be whole is \($0)" } ?? ""
            return VaultError(
                .damaged,
                isReadable ? "the backup that \(path) follows is not there" : "\(path) cannot be read as a backup",
                hint: "make a new full backup: vault backup FILE, and keep this one elsewhere to look at\(before)")
        }
    }

    private static func chain(_ items: [Item]) -> [Item] {
        guard let full = items.lastIndex(where: \.isFull) else { return [] }
        var chain = [items[full]]
        for item in items[(full + 1)...] where item.inspection.since == chain.last?.inspection.end {
            chain.append(item)
        }
        return chain
    }

    /// Removes what backups left that were cut off. Nobody else may be writing here under these names.
    public func removeHalfWritten() throws(VaultError) {
        for name in try names() where name.hasPrefix(prefix) && name.contains("\(Self.ending)\(NewFile.mark)") {
            unlink("\(path)/\(name)")
        }
    }

    /// Removes full backups older than the newest `keep`, each after the increments that follow it; returns what
    /// was removed. Where an increment cannot be removed, what it needs stays too.
    public func thinOut(keeping keep: Int) throws(VaultError) -> [String] {
        try thinOut(keeping: keep) { unlink($0) == 0 }
    }

    /// - Parameter remove: says whether the file is gone.
    package func thinOut(keeping keep: Int, _ remove: (String) -> Bool) throws(VaultError) -> [String] {
        let items = try items()
        let fulls = items.indices.filter { items[$0].isFull }
        guard fulls.count > max(1, keep) else { return [] }
        var removed: [String] = []
        var isNeeded = false
        // Increments go before what they need, down to the full backup that they begin with.
        for item in items[..<fulls[fulls.count - max(1, keep)]].reversed() {
            if !isNeeded, remove(item.path) {
                removed.append(item.path)
            } else {
                isNeeded = !item.isFull
            }
        }
        return removed
    }

    /// Makes the folder, 0700, when it is not there.
    public func make() throws(VaultError) {
        guard mkdir(path, 0o700) != 0, errno != EEXIST else { return }
        throw VaultError(
            .file, "cannot make \(path): \(String(cString: strerror(errno)))", hint: "make it, or name another place")
    }

    private func names() throws(VaultError) -> [String] {
        guard let names = Paths.names(in: path) else {
            throw VaultError(
                .file, "cannot read \(path): \(String(cString: strerror(errno)))", hint: "look at backup.directory")
        }
        return names
    }
}
