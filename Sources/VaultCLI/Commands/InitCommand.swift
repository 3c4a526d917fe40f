import ArgumentParser
import VaultBase
import VaultCrypto
import VaultRecords
import VaultStore

/// `vault init`
struct InitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init", abstract: "Make a key and an empty vault.",
        discussion: """
            vault init
            vault init --store-path /srv/vault --key-source file:/srv/vault.key
            vault init --config /etc/vault/vault.conf

            vault init --key-source passphrase

            Makes what is missing of the two: a key file that is there is used, one that is elsewhere
            (credential:, env:, command:) must be there. Nothing is overwritten.

            Prints a recovery key, once: with it alone the vault and its backups can be opened when the
            other is lost (--key-source recovery:).
            """)

    @Flag(help: "Make no recovery key; vault key add recovery makes one later.")
    var noRecoveryKey = false

    @OptionGroup var common: CommonOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let environment = ProcessRules.environment
        let settings = try common.settings(environment: environment)
        let recovery = noRecoveryKey ? nil : try RecoveryKey.generate()
        let made = try await Self.make(settings, environment: environment, recovery: recovery)
        let file = try RootKeySource(settings, environment: environment).file
        if output.json {
            try Terminal.answer(
                JSON.line(
                    Answer(
                        store: settings[\.storePath], key: file, keyIsNew: made.key,
                        recoveryKey: recovery?.text.reveal())))
            return
        }
        try Terminal.answer("vault   \(settings[\.storePath])")
        if let file { try Terminal.answer("key     \(file)\(made.key ? "" : "  (was there)")") }
        if let recovery {
            try KeyCommand.answer(recovery)
        } else if file != nil {
            Terminal.say("keep a copy of the key elsewhere: without it nothing here can be read again")
        }
        Terminal.say("next: vault serve")
    }

    private struct Answer: Encodable {
        var store: String
        var key: String?
        var keyIsNew: Bool
        /// Shown this once.
        var recoveryKey: String?
    }

    /// Makes the key, unless it is there, and the vault.
    ///
    /// - Throws: `conflict` when there is a vault.
    static func make(
        _ settings: Settings, environment: [String: String], recovery: RecoveryKey? = nil
    ) async throws -> (key: Bool, store: Bool) {
        let path = settings[\.storePath]
        guard await isMissing(path) else {
            throw VaultError(
                .conflict, "there is a vault at \(path) already", hint: "look at it with: vault status")
        }
        try StoreFolder.checkReplacement(of: path, .conflict)
        let source = try RootKeySource(settings, environment: environment)
        var isNew = false
        if let file = source.file, !FilePath.exists(file) {
            try source.create()
            isNew = true
        }
        let key = try source.newKey(environment: environment)
        let options = OpenVault.storeOptions(settings)
        let store =
            FilePath.exists(path + "/data.mdb")
            ? try LMDBStore.open(at: path, options: options) : try LMDBStore.create(at: path, options: options)
        do {
            _ = try await Records.create(in: store, key: key, others: recovery.map { [NewKey($0)] } ?? [])
            await store.close()
        } catch {
            await store.close()
            throw error
        }
        return (isNew, true)
    }

    /// Whether there is no vault yet: nothing at all, or the empty store of an `init` that was ended in its middle.
    static func isMissing(_ path: String) async -> Bool {
        guard FilePath.exists(path + "/data.mdb") else { return true }
        // One that does not open is somebody's, and whoever opens it next says what is wrong.
        guard let store = try? LMDBStore.open(at: path) else { return false }
        let isEmpty = try? store.statistics().counts.values.allSatisfy { $0 == 0 }
        await store.close()
        return isEmpty == true
    }
}
