import ArgumentParser
import Glibc
import Vault
import VaultBase
import VaultProviders
import VaultRecords
import VaultStore

/// `vault restore`
struct RestoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore", abstract: "Make a vault from a backup, in a directory of its own.",
        discussion: """
            vault restore /backups/monday.vault --into /srv/vault-restored
            vault serve --store-path /srv/vault-restored

            The backup is verified to its last byte before anything is written. A connection whose refresh
            token may have been spent since is marked uncertain and probed once, with care.
            """)

    @Argument(help: "The backup.") var file: String
    @Option(help: ArgumentHelp("The new vault's directory, which must not exist.", valueName: "directory"))
    var into: String

    @OptionGroup var common: CommonOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let environment = ProcessRules.environment
        let settings = try common.settings(environment: environment)
        let path = FilePath.absolute(file)
        let target = FilePath.absolute(into)
        guard FilePath.exists(path) else {
            throw VaultError(.notFound, "there is no \(path)", hint: "look at the name")
        }
        guard !FilePath.exists(target) else {
            throw VaultError(.conflict, "\(target) is there already", hint: "restore into a new directory")
        }
        let unlock = try RootKeySource(settings, environment: environment).fetch(environment: environment)
        let key = try Backup.key(opening: path, with: unlock)
        let singleUse = try await singleUsePlatforms(settings, environment)
        let bar = ProgressBar("restore")
        defer { bar.end() }
        // Loaded under another name, so that a restore that stops half way never looks like a vault.
        let working = "\(target).restoring-\(getpid())"
        do {
            let store = try LMDBStore.create(at: working, options: OpenVault.storeOptions(settings))
            let manifest: Backup.Manifest
            do {
                manifest = try await Backup.restore(
                    path, into: store, rootKey: key, isSingleUse: { singleUse[$0] ?? true },
                    progress: { done, total in bar.show(done, of: total) })
                await store.close()
            } catch {
                await store.close()
                throw error
            }
            guard !FilePath.exists(target), rename(working, target) == 0 else {
                throw VaultError(.conflict, "\(target): \(systemWords(errno))", hint: "restore into a new directory")
            }
            bar.end()
            try BackupCommand.answer(
                BackupDocument(manifest, file: target), json: output.json, said: "restored")
        } catch {
            Self.remove(working)
            throw error
        }
    }

    /// Whether each platform's refresh tokens can be used once only; one that is not known may be of that kind.
    private func singleUsePlatforms(
        _ settings: Settings, _ environment: [String: String]
    ) async throws -> [PlatformName: Bool] {
        let reports = await Plugins.load(settings)
        let directory = try PlatformAssembly(
            settings: settings, reports: reports, environment: environment
        ).directory()
        var kinds: [PlatformName: Bool] = [:]
        for entry in directory.entries {
            if let platform = entry.platform {
                kinds[entry.name] = platform.provider.description.refresh == .singleUse
            }
        }
        return kinds
    }

    /// Removes the half-made store: a flat directory of ours.
    private static func remove(_ directory: String) {
        for name in ["data.mdb", "lock.mdb", "vault.lock"] { unlink("\(directory)/\(name)") }
        rmdir(directory)
    }
}
