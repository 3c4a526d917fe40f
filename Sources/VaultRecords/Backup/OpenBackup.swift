public import VaultBase
import VaultCrypto

/// A full backup and the increments after it, opened with a key and not yet believed.
public struct OpenBackup: Sendable {
    let sources: [BackupSource]

    /// Opens the files; a passphrase takes half a second for each.
    ///
    /// - Throws: `wrong-key`, `damaged`, `newer-format`, `file`; `conflict` when they do not follow each other,
    ///   naming the two between which something is missing.
    public init(_ paths: [String], with unlock: BackupUnlock) throws {
        var sources: [BackupSource] = []
        for path in paths { sources.append(try BackupSource(FileReader(at: path), with: unlock)) }
        self.sources = sources
        try checkOrder()
    }

    /// What comes on standard input, which can be read once: for ``verify(progress:)``.
    public init(standardInputWith unlock: BackupUnlock) throws {
        sources = [try BackupSource(FileReader(), with: unlock)]
    }

    /// About how many entries they have together.
    public var entries: Int { sources.reduce(0) { $0 + Int(clamping: $1.header.entries) } }

    /// Reads every file to its last byte and opens every value. One increment alone can be verified too: it
    /// proves where it begins, and only a restore needs what is there.
    ///
    /// - Returns: one for each file.
    /// - Throws: `damaged` for any byte changed, missing or added.
    public func verify(progress: (_ done: Int, _ total: Int) -> Void) throws -> [Backup.Manifest] {
        try contents { done, _ in progress(done, entries) }.map(\.manifest)
    }

    func contents(
        visit: (_ done: Int, Backup.Entry?) throws -> Void = { _, _ in }
    ) throws -> [Backup.Contents] {
        var before = 0
        return try sources.map { source in
            let contents = try Backup.contents(of: source) { done, entry in try visit(before + done, entry) }
            before += contents.manifest.entries
            return contents
        }
    }

    /// - Throws: `conflict` unless the first is a full backup: one that a vault can be restored from.
    public func checkBeginning() throws(VaultError) {
        guard let first = sources.first else { throw VaultError(.badRequest, "no backup was given") }
        guard let since = first.header.since else { return }
        throw VaultError(
            .conflict, "\(first.file.path) is an increment that begins at \(since.words)",
            hint: "give the full backup first, then every increment up to this one")
    }

    private func checkOrder() throws(VaultError) {
        for (one, other) in zip(sources, sources.dropFirst()) {
            let (a, b) = (one.file.path, other.file.path)
            guard one.header.vaultID == other.header.vaultID else {
                throw VaultError(.conflict, "\(a) and \(b) are backups of two vaults")
            }
            guard let since = other.header.since else {
                throw VaultError(
                    .conflict, "\(b) is a full backup and needs none before it", hint: "give it first, or alone")
            }
            guard since != one.header.end else { continue }
            let end = one.header.end
            throw VaultError(
                .conflict, "\(a) ends at \(end.words) and \(b) begins at \(since.words)",
                hint: since.sequence > end.sequence
                    ? "the increments between the two are missing"
                    : "\(b) follows another backup: see vault backup inspect of both")
        }
    }
}
