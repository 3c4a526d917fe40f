import ArgumentParser
import Synchronization
import Vault
import VaultBase
import VaultCrypto

/// `vault passphrase`
struct PassphraseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "passphrase", abstract: "Change the passphrase that opens the vault.",
        usage: "vault passphrase [--old <reference>] [--new <reference>] [<options>]",
        discussion: """
            vault passphrase
            vault passphrase --old file:/run/secrets/old --new file:/run/secrets/new

            Asks for the old one and twice for the new one. The data keys stay as they are: whoever knew the
            old passphrase and has an old copy of the store can still read what that copy held. To change
            what the data is sealed with, use vault rotate.
            """)

    @Option(help: ArgumentHelp("Where the old one is, instead of asking.", valueName: "reference"))
    var old: String?
    @Option(help: ArgumentHelp("Where the new one is, instead of asking.", valueName: "reference"))
    var new: String?
    @OptionGroup var common: CommonOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let environment = ProcessRules.environment
        let json = output.json
        let settings = try common.settings(environment: environment)
        let (before, after) = (try Self.reference(old, "--old"), try Self.reference(new, "--new"))
        try await Workplace.with(common) { place in
            let found = Mutex<[KeyDocument]>([])
            try await place.perform(.keys) { event in
                if case .key(let key) = event, key.kind == "passphrase" { found.withLock { $0.append(key) } }
            }
            let keys = found.withLock { $0 }
            guard !keys.isEmpty else {
                throw VaultError(
                    .notFound, "no passphrase opens this vault", hint: "add one with: vault key add passphrase")
            }
            let known = try RootKeySource.passphrase(
                before ?? Self.configured(settings), environment: environment, words: "old passphrase")
            guard let key = try keys.first(where: { try $0.opens(with: known) }) else {
                throw VaultError(.wrongKey, "that is not the old passphrase", hint: "nothing was changed: try again")
            }
            let chosen = try NewKey(
                passphrase: RootKeySource.passphrase(
                    after, environment: environment, words: "new passphrase", isNew: true))
            try await place.perform(.replaceKey(id: key.id, with: NewKeyDocument(chosen))) { event in
                guard case .key(let key) = event else { return }
                if json { return try Terminal.answer(JSON.line(key)) }
                try Terminal.answer("\(key.id.prefix(8))  passphrase  changed")
                Terminal.say("the data keys did not change: to change them too, use vault rotate")
                Terminal.say("backups made before still open with the old passphrase")
            }
            guard let source = Self.configured(settings), after != source else { return }
            Terminal.warn("key.source points at the old passphrase: put the new one there before the next start")
        }
    }

    /// Where `key.source` points, if it is a passphrase that is not asked for.
    private static func configured(_ settings: Settings) -> SecretReference? {
        guard case .passphrase(let reference) = RootKeySource.kind(settings[\.keySource]) else { return nil }
        return reference
    }

    private static func reference(_ text: String?, _ option: String) throws(VaultError) -> SecretReference? {
        guard let text else { return nil }
        let reference = SecretReference(text)
        guard case .literal = reference else { return reference }
        throw VaultError(
            .badRequest, "\(option) is a secret, and the command line is read by everybody here",
            hint: "point at it: \(option) file:/run/secrets/name")
    }
}
