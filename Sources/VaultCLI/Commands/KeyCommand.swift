import ArgumentParser
import Vault
import VaultBase
import VaultCrypto

/// `vault key`
struct KeyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "key", abstract: "The keys that open the vault: list them, add one, remove one.",
        discussion: """
            vault key list
            vault key add recovery
            vault key remove 3f9c2a17

            Each of them opens the whole vault and every backup made while it was there. Adding or removing
            one seals nothing again: what the data is sealed with changes with vault rotate.
            """,
        subcommands: [List.self, Add.self, Remove.self], defaultSubcommand: List.self)

    /// `vault key list`
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "List the keys that open the vault.",
            discussion: """
                vault key list
                vault key list --json
                """)

        @OptionGroup var common: CommonOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let json = output.json
            if !json { try Terminal.answer("KEY       KIND        IN USE") }
            try await Workplace.with(common) { place in
                try await place.perform(.keys) { event in
                    guard case .key(let key) = event else { return }
                    try Terminal.answer(json ? JSON.line(key) : KeyCommand.line(key))
                }
            }
        }
    }

    /// `vault key add`
    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "add", abstract: "Let another key open the vault.",
            discussion: """
                vault key add file:/root/second.key     makes the file, unless it is there
                vault key add passphrase                asks for it, twice
                vault key add recovery                  makes one and prints it, once
                vault key add command:'pass show vault'

                The vault is opened with the new key before anything is written. Backups made from now on
                open with it too; older ones do not.
                """)

        @Argument(help: "Where the key is, written as key.source is, or recovery.") var source: String
        @OptionGroup var common: CommonOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let json = output.json
            var recovery: RecoveryKey?
            let new: NewKey
            let source = try RootKeySource(source)
            if case .recovery(nil) = source.kind {
                let made = try RecoveryKey.generate()
                recovery = made
                new = NewKey(made)
            } else {
                if let file = source.file, !FilePath.exists(file) {
                    try source.create()
                    Terminal.say("made \(file); keep a copy of it elsewhere")
                }
                new = try source.newKey(environment: ProcessRules.environment)
            }
            let made = recovery
            try await Workplace.with(common) { place in
                try await place.perform(.addKey(NewKeyDocument(new))) { event in
                    guard case .key(let key) = event else { return }
                    if json { return try Terminal.answer(JSON.line(Added(key: key, recoveryKey: made?.text.reveal()))) }
                    try Terminal.answer("\(key.id.prefix(8))  \(key.kind)  added")
                    if let made { try KeyCommand.answer(made) }
                }
            }
        }

        private struct Added: Encodable {
            var key: KeyDocument
            /// Shown this once.
            var recoveryKey: String?
        }
    }

    /// `vault key remove`
    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "remove", abstract: "Let a key open the vault no more.",
            discussion: """
                vault key remove 3f9c2a17
                vault key remove 3f9c2a17 --key-source file:/root/second.key

                The key the vault is open with cannot be removed: no other is known to work. To remove it,
                give another (without a server), or start the server with another first.

                Backups made before still open with it, and whoever has the key and an old copy of the
                store can still read what that copy held.
                """)

        @Argument(help: "The key, as vault key list shows it.") var key: String
        @OptionGroup var common: CommonOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let json = output.json
            try await Workplace.with(common) { place in
                try await place.perform(.removeKey(id: key)) { event in
                    guard case .key(let key) = event else { return }
                    if json { return try Terminal.answer(JSON.line(key)) }
                    try Terminal.answer("\(key.id.prefix(8))  \(key.kind)  removed")
                    Terminal.say("older backups still open with it; vault rotate changes what the data is sealed with")
                }
            }
        }
    }

    private static func line(_ key: KeyDocument) -> String {
        let kind = key.kind + String(repeating: " ", count: max(0, 10 - key.kind.count))
        return "\(key.id.prefix(8))  \(kind)  \(key.inUse ? "yes" : "-")"
    }

    /// Prints a recovery key, which is never shown again.
    static func answer(_ recovery: RecoveryKey) throws(VaultError) {
        try Terminal.answer("")
        try Terminal.answer("recovery key    \(recovery.text.reveal())")
        try Terminal.answer("")
        Terminal.say("write it down and keep it elsewhere: it opens the vault and is never shown again")
    }
}
