import Glibc
import Testing

/// Backups for others than the vault, on standard output, and by schedule.
@Suite struct BackupRecipientTests {
    @Test func aServerWritesWhatItCannotRead() throws {
        let vault = try BackupTests.filled()
        let (secret, file) = (vault.folder.path("secret"), vault.folder.path("monday"))
        let made = try Program.run(["backup", "keygen", secret], in: vault.folder)
        let key = try #require(made.lines.first.map(String.init), "\(made.err)")
        #expect(made.status == 0 && key.hasPrefix("public:") && !made.out.contains("backup-secret"))
        var info = stat()
        #expect(stat(secret, &info) == 0 && info.st_mode & 0o777 == 0o400)
        #expect(try Program.run(["backup", "keygen", secret], in: vault.folder).status == 3)
        #expect(try vault.run("backup", file, "--recipient", key).status == 0)
        #expect(try vault.run("backup", "inspect", file).out.contains(key))
        let refused = try vault.run("backup", "verify", file)
        #expect(refused.status == 5)
        #expect(refused.err.contains("which is for: public:") && refused.err.contains("--unlock"))
        #expect(try vault.run("backup", "verify", file, "--unlock", "file:\(secret)").status == 0)
        #expect(try vault.run("drill", "--unlock", "file:\(secret)").status == 0)
        // Restored, it opens with the key it had; or with a new one when that is lost.
        let (new, other) = (vault.folder.path("new"), vault.folder.path("other"))
        #expect(try vault.run("restore", file, "--into", new, "--unlock", "file:\(secret)").status == 0)
        #expect(try vault.run("show", "ada", "spotify", "--store-path", new).status == 0)
        try vault.folder.write("new.key", String(repeating: "5a", count: 32), mode: 0o400)
        let source = "file:\(vault.folder.path("new.key"))"
        #expect(
            try vault.run(
                "restore", file, "--into", other, "--unlock", "file:\(secret)", "--new-key", "--key-source", source
            ).status == 0)
        #expect(try vault.run("show", "ada", "spotify", "--store-path", other).status == 5)
        #expect(try vault.run("show", "ada", "spotify", "--store-path", other, "--key-source", source).status == 0)
        #expect(try vault.run("backup", vault.folder.path("x"), "--recipient", String(key.dropLast())).status == 64)
        #expect(try vault.run("status", "--backup-recipients", "somebody").status == 78)
        #expect(try vault.run("status", "--backup-recipients", "").status == 78)
    }

    @Test func aPassphraseOpensABackup() throws {
        let vault = try BackupTests.filled()
        try vault.folder.write("words", "correct horse battery\n")
        let (words, file) = ("passphrase:file:\(vault.folder.path("words"))", vault.folder.path("monday"))
        #expect(try vault.run("backup", file, "--recipient", words).status == 0)
        #expect(try vault.run("backup", "verify", file, "--unlock", words).status == 0)
        #expect(try vault.run("backup", "verify", file).status == 5)
    }

    @Test(arguments: [false, true]) func aBackupGoesThroughAPipe(served: Bool) throws {
        let vault = try BackupTests.filled()
        let server = served ? try TestServer(vault) : nil
        // What runs here is the program twice, with the shell between.
        let before = vault.folder.names
        let config = "--config '\(vault.folder.path("vault.conf"))'"
        let line =
            "'\(Program.path)' backup - \(config) 2>'\(vault.folder.path("said"))'"
            + " | '\(Program.path)' backup verify - \(config) >'\(vault.folder.path("verified"))'"
        #expect(shell(line) == 0)
        #expect(try vault.folder.read("verified").contains("whole  2 connections"))
        #expect(try vault.folder.read("said").contains("vault backup verify"))
        // A reader that goes away: an error, and nothing is left.
        let status = vault.folder.path("status")
        #expect(shell("('\(Program.path)' backup - \(config) 2>/dev/null; echo $? >'\(status)') | true") == 0)
        #expect(vault.folder.names == (before + ["said", "status", "verified"]).sorted())
        #expect(try vault.run("backup", "verify", "-", input: "junk").status == 5)
        if let server { #expect(server.stop() == 0) }
    }

    private func shell(_ line: String) -> Int32 {
        var child = pid_t()
        let texts = ["sh", "-c", line]
        var words: [UnsafeMutablePointer<CChar>?] = texts.map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        guard posix_spawn(&child, "/bin/sh", nil, nil, &words, environ) == 0 else { return -1 }
        return Program.wait(child)
    }

    @Test func theServerMakesBackupsByItself() throws {
        let folder = try Folder()
        mkdir(folder.path("backups"), 0o700)
        let vault = try TestVault(conf: "[backup]\ndirectory = \"\(folder.path("backups"))\"\nkeep = 1\n")
        try vault.put("ada", "spotify", #"{"accessToken":"A"}"#)
        let id = try #require(try vault.run("status", "--json").out.split(separator: "\"vault\":\"").last?.prefix(8))
        // A half-written one of a server that was killed, one that only looks like ours, and somebody else's.
        let half = "backups/vault-\(id)-20200101T000000Z-full.backup.partial-abc"
        let junk = "backups/vault-\(id)-20200101T000000Z-full.backup"
        for name in [half, junk, "backups/holiday.jpg"] { try folder.write(name, "junk") }
        let server = try TestServer(vault)
        try server.waitForLog("backup.written")
        #expect(server.stop() == 0)
        let names = Folder.list(folder.path("backups"))
        let made = try #require(names.first { $0.hasSuffix("-full.backup") && !$0.contains("20200101") })
        #expect(names.count == 3 && !folder.exists(half) && folder.exists(junk) && folder.exists("backups/holiday.jpg"))
        #expect(try vault.run("backup", "verify", folder.path("backups/\(made)")).status == 0)
        #expect(try vault.run("drill").out.contains(made))
        // Cut off where the server would not look: an older one that is good does not stand for it.
        let name = "vault-\(id)-99990101T000000Z-increment.backup"
        let newer = folder.path("backups/\(name)")
        try folder.write("backups/\(name)", "")
        let refused = try vault.run("drill")
        #expect(refused.status == 5 && refused.err.contains("\(newer) cannot be read as a backup"), "\(refused.err)")
        #expect(refused.err.contains(made), "the hint names the one before")
        #expect(try vault.run("status").out.contains("failed  \(newer)"))
        unlink(newer)
        #expect(try vault.run("drill").status == 0)
        #expect(try !vault.run("status").out.contains("failed"))
    }

    @Test func aBackupThatFailsStopsNothing() throws {
        let folder = try Folder()
        try folder.write("file", "in the way")
        let vault = try TestVault(conf: "[backup]\ndirectory = \"\(folder.path("file"))\"\n")
        let server = try TestServer(vault)
        try server.waitForLog("cannot read ")
        #expect(try vault.run("status").status == 0)
        #expect(server.stop() == 0)
    }
}
