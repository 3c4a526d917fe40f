import ArgumentParser
import VaultBase
import VaultCrypto

/// `vault backup keygen`
struct BackupKeygenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keygen", abstract: "Make a key pair for backups that the server cannot read.",
        discussion: """
            vault backup keygen /media/key/backup.key
            vault backup monday.vault --recipient public:…
            vault restore monday.vault --into /srv/vault --unlock file:/media/key/backup.key

            The secret key is written to a new file (0400), which belongs on another machine or in a safe.
            The public key is printed: put it into backup.recipients. Without "vault" beside it there, only
            the secret key opens the backups: lose it and they are lost.
            """)

    @Argument(help: "The new file for the secret key.") var file: String
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let path = FilePath.absolute(file)
        let key = try BackupUnlocking.create(path)
        if output.json { return try Terminal.answer(JSON.line(["file": path, "publicKey": key.text])) }
        try Terminal.answer(key.text)
        Terminal.say("the secret key is in \(path): keep it away from the server, and keep a copy")
    }
}
