import ArgumentParser
import Vault
import VaultBase
import VaultCrypto
import VaultProviders
import VaultRecords

/// `vault restore`
struct RestoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore", abstract: "Make a vault from a backup, or put one user's connections back.",
        usage: "vault restore <file> ... (--into <directory> | --replace | --user <user>) [<options>]",
        discussion: """
            vault restore monday.vault --into /srv/vault-restored
            vault restore monday.vault tuesday.vault --replace
            vault restore monday.vault --user ada
            vault restore monday.vault --replace --dry-run

            The backup is verified to its last byte before anything is written. A connection whose refresh
            token may have been spent since is marked uncertain and probed once, with care. The new vault
            opens with the keys it had; --new-key gives it the key of key.source alone.
            """)

    @Argument(help: ArgumentHelp("The full backup, then increments in their order.", valueName: "file"))
    var files: [String]
    @Option(help: ArgumentHelp("A new vault there, where nothing is yet.", valueName: "directory"))
    var into: String?
    @Flag(help: "In the place of store.path; the old vault is kept beside it.") var replace = false
    @Option(help: ArgumentHelp("Only this user's, into the vault there is.", valueName: "user")) var user: String?
    @Flag(help: "With --user: also over connections that are newer.") var overwrite = false
    @Flag(help: "Verify everything, change nothing, say what would be done.") var dryRun = false
    @Flag(help: "Open the new vault with the key of key.source, and with no other.") var newKey = false
    @OptionGroup var unlocking: UnlockOption
    @OptionGroup var common: CommonOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        let places = [into != nil, replace, user != nil].filter { $0 }.count
        guard places == 1 || places == 0 && dryRun else {
            throw ValidationError("say where to: --into DIRECTORY, --replace or --user USER")
        }
        guard !overwrite || user != nil else { throw ValidationError("--overwrite goes with --user") }
        guard !newKey || user == nil else { throw ValidationError("--new-key is for a new vault, not for --user") }
    }

    func run() async throws {
        let environment = ProcessRules.environment
        let settings = try common.settings(environment: environment)
        let paths = try BackupFiles.paths(files)
        let place: RestorePlace?
        if let into {
            place = try RestorePlace(new: FilePath.absolute(into))
        } else {
            place = replace ? try RestorePlace(replacing: settings[\.storePath]) : nil
        }
        let unlock = try BackupUnlocking.fetch(unlocking.unlock, settings, environment)
        let backup = try OpenBackup(paths, with: unlock)
        let bar = ProgressBar(dryRun ? "verify" : "restore")
        defer { bar.end() }
        if let user {
            let (manifest, connections) = try backup.connections(of: UserID(user)) { bar.show($0, of: $1) }
            bar.end()
            return try await putBack(connections, of: manifest)
        }
        guard let place, !dryRun else {
            try backup.checkBeginning()
            let manifests = try backup.verify { bar.show($0, of: $1) }
            bar.end()
            guard let last = manifests.last else { return }
            try BackupCommand.answer(
                BackupDocument(last, file: paths.last ?? ""), json: output.json,
                said: "whole, and \(place?.plan ?? "can be restored")")
            return
        }
        let new = newKey ? try RootKeySource(settings, environment: environment).newKey(environment: environment) : nil
        let singleUse = try await SingleUse.platforms(settings, environment)
        let (manifest, kept) = try await place.fill(options: OpenVault.storeOptions(settings)) { store in
            try await backup.restore(
                into: store, newKey: new, isSingleUse: { singleUse[$0] ?? true },
                progress: { bar.show($0, of: $1) })
        }
        bar.end()
        try BackupCommand.answer(
            BackupDocument(manifest, file: place.path), json: output.json, said: "restored")
        guard let kept else { return }
        Terminal.say("the vault that was there is now \(kept): remove it once this one is known to be right")
    }

    /// Sends one user's connections to the vault there is, through its server when one runs.
    private func putBack(_ connections: [Connection], of manifest: Backup.Manifest) async throws {
        let json = output.json
        if dryRun {
            for connection in connections {
                try Terminal.answer("\(connection.user)  \(connection.platform)  as of \(manifest.createdAt.iso8601)")
            }
            return
        }
        let documents = connections.map { ConnectionDocument($0, reveal: true) }
        let overwrite = overwrite
        try await Workplace.with(common, plugins: true) { place in
            try await place.perform(.restoreConnections(documents, overwrite: overwrite)) { event in
                guard case .restored(let restored) = event else { return }
                if json { return try Terminal.answer(JSON.line(restored)) }
                let reason = restored.reason.map { "  \($0)" } ?? ""
                try Terminal.answer("\(restored.user)  \(restored.platform)  \(restored.outcome)\(reason)")
            }
        }
    }
}

/// Whether each platform's refresh tokens can be used once only.
enum SingleUse {
    static func platforms(
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
}
