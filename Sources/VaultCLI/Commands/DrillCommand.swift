import ArgumentParser
import Glibc
import Synchronization
import Vault
import VaultBase
import VaultRecords
import VaultStore

/// `vault drill`
struct DrillCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drill", abstract: "Try the newest backup: restore it aside, compare, and remove it.",
        usage: "vault drill [<file> ...] [--unlock <source>] [<options>]",
        discussion: """
            vault drill
            vault drill monday.vault tuesday.vault
            vault drill --unlock file:/media/key/backup.key

            Counts, sequence and set hash must be those of the backup, and every record must open. When and
            how it ended is kept in the vault: vault status shows it, and so do the metrics. It fails where
            the newest file in backup.directory is none that can be restored. It needs room for a second
            store beside the first, for as long as it runs.
            """)

    @Argument(help: ArgumentHelp("The backup and its increments; else the newest there is.", valueName: "file"))
    var files: [String] = []
    @OptionGroup var unlocking: UnlockOption
    @OptionGroup var common: CommonOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let environment = ProcessRules.environment
        let settings = try common.settings(environment: environment)
        let paths: [String]
        do {
            paths = try files.isEmpty ? await newest(settings) : BackupFiles.paths(files)
        } catch let stray as BackupFolder.Stray {
            // An older one that is good proves nothing of this one.
            await note(isGood: false, stray.path)
            throw stray.error
        }
        let unlock = try BackupUnlocking.fetch(unlocking.unlock, settings, environment)
        let bar = ProgressBar("drill")
        defer { bar.end() }
        let result: Result<Backup.Manifest, any Error>
        do {
            result = .success(try await Self.drill(paths, unlock, settings) { bar.show($0, of: $1) })
        } catch {
            result = .failure(error)
        }
        bar.end()
        if let path = paths.last { await note(isGood: (try? result.get()) != nil, path) }
        try BackupCommand.answer(
            BackupDocument(try result.get(), file: paths.last ?? ""), json: output.json, said: "restored and compared")
    }

    private static func drill(
        _ paths: [String], _ unlock: BackupUnlock, _ settings: Settings,
        progress: @escaping @Sendable (Int, Int) -> Void
    ) async throws -> Backup.Manifest {
        let store = FilePath.absolute(settings[\.storePath])
        Leftovers.remove(of: store, mark: mark) { StoreFolder.remove($0) }
        let backup = try OpenBackup(paths, with: unlock)
        let working = "\(store)\(mark)\(getpid())"
        let trial = try LMDBStore.create(at: working, options: OpenVault.storeOptions(settings))
        do {
            let manifest = try await backup.drill(into: trial, progress: progress)
            await trial.close()
            StoreFolder.remove(working)
            return manifest
        } catch {
            await trial.close()
            StoreFolder.remove(working)
            throw error
        }
    }

    private static let mark = ".drilling-"

    /// The newest full backup in `backup.directory` with its increments, else the last one that was written.
    private func newest(_ settings: Settings) async throws -> [String] {
        let found = Mutex<StatusDocument?>(nil)
        try await Workplace.with(common) { place in
            try await place.perform(.status) { event in
                if case .status(let status) = event { found.withLock { $0 = status } }
            }
        }
        guard let status = found.withLock({ $0 }) else { throw VaultError(.internal, "the vault says nothing") }
        let directory = settings[\.backupDirectory]
        if !directory.isEmpty {
            let chain = try BackupFolder(FilePath.absolute(directory), vaultID: status.vault).newestToTry()
            if !chain.isEmpty { return chain.map(\.path) }
        }
        if let last = status.lastBackup, FilePath.exists(last.file) { return [last.file] }
        throw VaultError(
            .notFound, "there is no backup to try",
            hint: "write one with vault backup FILE, or name it: vault drill FILE")
    }

    /// Keeps in the vault how it ended; a vault that cannot be opened now is no fault of the backup.
    private func note(isGood: Bool, _ path: String) async {
        let end = (try? Backup.inspect(path).end) ?? .nothing
        let drill = DrillDocument(file: path, end: end, good: isGood)
        do {
            try await Workplace.with(common) { place in try await place.perform(.noteDrill(drill)) { _ in } }
        } catch {
            Terminal.warn("the vault could not keep when this was: \((error as? VaultError)?.message ?? "\(error)")")
        }
    }
}
