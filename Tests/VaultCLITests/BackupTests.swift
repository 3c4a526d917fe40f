import Glibc
import Testing

/// Backups, run as the real program.
@Suite struct BackupTests {
    static func filled() throws -> TestVault {
        let vault = try TestVault()
        try vault.put("ada", "spotify", #"{"accessToken":"AT-CANARY","refreshToken":"RT-CANARY","subject":"s1"}"#)
        try vault.put("grace", "spotify", #"{"accessToken":"B"}"#)
        return vault
    }

    @Test func aBackupIsVerifiedInspectedAndRestored() throws {
        let vault = try Self.filled()
        let file = vault.folder.path("monday.vault")
        let made = try vault.run("backup", file)
        #expect(made.status == 0 && made.out.contains("written and verified  2 connections"), "\(made.err)")
        #expect(try !vault.folder.read("monday.vault").contains("CANARY"))
        #expect(try vault.run("backup", "verify", file).status == 0)
        let inspected = try vault.run("backup", "inspect", file, "--json")
        #expect(inspected.status == 0 && inspected.out.contains(#""file":"\#(file)""#))
        #expect(try vault.run("backup", "inspect", file, "--key-source", "file:/nowhere").status == 0)

        let into = vault.folder.path("restored")
        let restored = try vault.run("restore", file, "--into", into)
        #expect(restored.status == 0, "\(restored.err)")
        let shown = try vault.run("show", "ada", "spotify", "--reveal", "--json", "--store-path", into)
        #expect(shown.out.contains("AT-CANARY") && shown.out.contains("RT-CANARY"))
        #expect(try vault.run("restore", file, "--into", into).status == 3)
    }

    @Test func aFileThatIsThereIsNotOverwritten() throws {
        let vault = try Self.filled()
        try vault.folder.write("taken", "mine")
        #expect(try vault.run("backup", vault.folder.path("taken")).status == 3)
        #expect(try vault.folder.read("taken") == "mine")
    }

    @Test func aFileMayBeCalledLikeACommand() throws {
        let vault = try Self.filled()
        #expect(try vault.run("backup", "create", vault.folder.path("verify")).status == 0)
        #expect(try vault.run("backup", "verify", vault.folder.path("verify")).status == 0)
    }

    @Test func whatIsNoBackupIsRefusedAndLeavesNothing() throws {
        let vault = try Self.filled()
        try vault.folder.write("junk", String(repeating: "junk", count: 100))
        try vault.folder.write("empty", "")
        for file in ["junk", "empty"] {
            #expect(try vault.run("backup", "verify", vault.folder.path(file)).status == 5, "\(file)")
            let before = vault.folder.names.filter { !$0.hasPrefix("run") }
            let restored = try vault.run("restore", vault.folder.path(file), "--into", vault.folder.path("new"))
            #expect(restored.status == 5)
            #expect(vault.folder.names.filter { !$0.hasPrefix("run") } == before)
        }
        #expect(try vault.run("backup", "verify", vault.folder.path("absent")).status == 2)
        #expect(try vault.run("restore", vault.folder.path("absent"), "--into", "/x").status == 2)
    }
}

extension BackupTests {
    /// One thread reads the vault and another one writes the file: where that fails in the middle, both stop.
    @Test func aDiskThatFillsUpInTheMiddleIsNamedAndNothingIsLeft() throws {
        let vault = try TestVault()
        let token = String(repeating: "x", count: 1500)
        let lines = (0..<3000).map { #"{"user":"u\#($0)","platform":"spotify","accessToken":"\#(token)"}"# + "\n" }
        try #require(try vault.run("import", "-", input: lines.joined()).status == 0)
        let before = vault.folder.names.filter { !$0.hasPrefix("run") }
        // Files of 2 MiB at most: a third of what the backup needs, and more than waits between the two.
        let limited = ["/bin/sh", "-c", #"ulimit -f 4096; exec "$0" "$@""#]
        let words = ["backup", vault.folder.path("b"), "--config", vault.folder.path("vault.conf")]
        let refused = try Program.run(words, in: vault.folder, before: limited)
        #expect(refused.status == 7 && refused.err.contains("cannot write \(vault.folder.path("b"))"), "\(refused.err)")
        #expect(vault.folder.names.filter { !$0.hasPrefix("run") } == before)
        let made = try Program.run(words, in: vault.folder)
        #expect(made.status == 0 && made.out.contains("written and verified  3000 connections"))
    }

    /// Killed at one moment after another: there is a whole backup or none, and the next restore, drill or
    /// backup is not in its way.
    @Test func aKillLeavesNothingHalf() throws {
        let vault = try Self.filled()
        let (file, config) = (vault.folder.path("b"), vault.folder.path("vault.conf"))
        try #require(try vault.run("backup", vault.folder.path("full")).status == 0)
        var killed = 0
        for round in 0..<12 {
            let commands = [
                ["backup", file], ["restore", vault.folder.path("full"), "--replace"],
                ["drill", vault.folder.path("full")],
            ]
            let child = try Program.start(
                commands[round % 3] + ["--config", config], in: vault.folder, name: "killed")
            usleep(UInt32(20_000 + round * 15_000))
            kill(child, SIGKILL)
            if Program.wait(child) != 0 { killed += 1 }
            if vault.folder.exists("b") {
                #expect(try vault.run("backup", "verify", file).status == 0)
                unlink(file)
            }
            #expect(try vault.run("show", "ada", "spotify").status == 0, "after round \(round)")
        }
        #expect(killed > 0)
        #expect(try vault.run("check").status == 0)
        for command in [["restore", vault.folder.path("full"), "--replace"], ["drill", vault.folder.path("full")]] {
            #expect(try Program.run(command + ["--config", config], in: vault.folder).status == 0)
        }
        let left = vault.folder.names.filter { $0.contains(".restoring-") || $0.contains(".drilling-") }
        #expect(left == [], "what was cut off is removed by the next of its kind")
    }
}
