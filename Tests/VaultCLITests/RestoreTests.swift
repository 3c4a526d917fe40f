import Glibc
import Testing

/// Restores and drills, run as the real program.
@Suite struct RestoreTests {
    private static let canTrace = system("/usr/bin/strace -f -o /dev/null true 2>/dev/null") == 0

    private func names(_ vault: TestVault) -> [String] {
        vault.folder.names.filter { !$0.hasPrefix("run") && !$0.hasPrefix("serve") }
    }

    private func backup(_ vault: TestVault, _ name: String, _ arguments: String...) throws -> String {
        let file = vault.folder.path(name)
        let made = try Program.run(
            ["backup", file, "--config", vault.folder.path("vault.conf")] + arguments, in: vault.folder)
        try #require(made.status == 0, "\(made.err)")
        return file
    }

    @Test func replacingKeepsTheOldVaultBesideTheNew() throws {
        let vault = try BackupTests.filled()
        let file = try backup(vault, "monday.vault")
        try vault.put("late", "spotify", #"{"accessToken":"LATE"}"#)
        let before = names(vault)
        let planned = try vault.run("restore", file, "--replace", "--dry-run")
        #expect(planned.status == 0 && planned.out.contains("would replace \(vault.folder.path("store"))"))
        #expect(names(vault) == before)
        #expect(try vault.run("show", "late", "spotify").status == 0)

        let restored = try vault.run("restore", file, "--replace")
        #expect(restored.status == 0, "\(restored.err)")
        #expect(try vault.run("show", "late", "spotify").status == 2)
        #expect(try vault.run("show", "ada", "spotify", "--reveal").out.contains("AT-CANARY"))
        let old = try #require(names(vault).first { $0.hasPrefix("store.before-") })
        #expect(restored.err.contains(old))
        #expect(try vault.run("show", "late", "spotify", "--store-path", vault.folder.path(old)).status == 0)
        #expect(names(vault) == (before + [old]).sorted())
        #expect(try vault.run("check").status == 0)
    }

    @Test func theFirstServerAfterARestoreTellsWhatBecameUncertain() throws {
        let vault = try TestVault()
        try vault.put("ada", "spotify", #"{"accessToken":"A","refreshToken":"R"}"#)
        try vault.put("bob", "spotify", #"{"accessToken":"B"}"#)
        let file = try backup(vault, "monday.vault")
        #expect(try vault.run("restore", file, "--replace").status == 0)
        func uncertain() throws -> [String] {
            try vault.run("events", "--json").lines.filter { $0.contains("connection.uncertain") }.map(String.init)
        }
        #expect(try uncertain() == [])
        for isFirst in [true, false] {
            let server = try TestServer(vault)
            if isFirst { try server.waitForLog("restore.told") }
            #expect(server.stop() == 0)
            let told = try uncertain()
            #expect(told.count == 1 && told[0].contains(#""user":"ada""#) && told[0].contains(#""reason":"restored""#))
        }
        #expect(try vault.run("check").status == 0)
    }

    /// On a file system that cannot exchange two names: cut off before the first renaming of the vault, between the
    /// two, and not at all.
    @Test(.enabled(if: Self.canTrace, "there is no strace, or it may not trace here"))
    func withoutAnExchangeEveryStepLeavesTheOldVaultOrTheNewOne() throws {
        let vault = try BackupTests.filled()
        let file = try backup(vault, "monday.vault")
        try vault.put("late", "spotify", #"{"accessToken":"LATE"}"#)
        let arguments = ["restore", file, "--replace", "--config", vault.folder.path("vault.conf")]
        // Of the renamings, -P leaves the one by which the old vault gives up its name.
        func tracing(_ signal: String) -> [String] {
            ["/usr/bin/strace", "-f", "-qq", "-o", vault.folder.path("trace"), "-P", vault.folder.path("store")]
                + ["-e", "trace=renameat2,rename", "-e", "inject=renameat2:error=EINVAL"]
                + (signal.isEmpty ? [] : ["-e", "inject=rename:signal=\(signal)"])
        }
        let killed = try Program.run(arguments, in: vault.folder, before: tracing("SIGKILL"))
        #expect(killed.status == 137, "\(killed.err)")
        #expect(try vault.run("show", "late", "spotify").status == 0)

        // Stopped when it has done the first step, then killed.
        let child = try Program.start(arguments, in: vault.folder, name: "stopped", before: tracing("SIGSTOP"))
        while vault.folder.exists("store") {
            var status: Int32 = 0
            try #require(waitpid(child, &status, WNOHANG) == 0, "it was not stopped")
            usleep(10_000)
        }
        let new = names(vault).filter { $0.hasPrefix("store.restoring-") }.compactMap {
            pid_t($0.dropFirst("store.restoring-".count))
        }
        try #require(new.count == 1)
        #expect(kill(new[0], SIGKILL) == 0)
        #expect(Program.wait(child) == 137)
        // Nobody takes this for a place where no vault was, and the hint is right.
        let old = try #require(names(vault).last { $0.hasPrefix("store.before-") })
        for command in ["status", "init", "compact"] {
            let refused = try vault.run(command)
            let (hint, store) = ("mv \(vault.folder.path(old)) ", vault.folder.path("store"))
            #expect(refused.status != 0 && refused.err.contains(hint + store), "\(refused.err)")
        }
        let served = try vault.run("serve", "--init-if-missing")
        #expect(served.status != 0 && served.err.contains(old), "\(served.err)")
        #expect(!vault.folder.exists("store"))
        #expect(rename(vault.folder.path(old), vault.folder.path("store")) == 0)
        #expect(try vault.run("show", "late", "spotify").status == 0)

        let restored = try Program.run(arguments, in: vault.folder, before: tracing(""))
        #expect(restored.status == 0, "\(restored.err)")
        #expect(try vault.run("show", "late", "spotify").status == 2)
        #expect(try vault.run("check").status == 0)
        let kept = try #require(names(vault).last { $0.hasPrefix("store.before-") })
        #expect(try vault.run("show", "late", "spotify", "--store-path", vault.folder.path(kept)).status == 0)
        #expect(!names(vault).contains { $0.contains(".restoring-") })
    }

    @Test func aServersVaultIsNotReplacedAndABadBackupReplacesNothing() throws {
        let vault = try BackupTests.filled()
        let file = try backup(vault, "monday.vault")
        let server = try TestServer(vault)
        let refused = try vault.run("restore", file, "--replace")
        #expect(refused.status == 4 && refused.err.contains("--user"), "\(refused.err)")
        #expect(server.stop() == 0)
        let before = names(vault)
        let bytes = open(file, O_WRONLY)
        pwrite(bytes, "x", 1, lseek(bytes, 0, SEEK_END) - 30)
        close(bytes)
        let ways = [
            ["--replace"], ["--replace", "--dry-run"], ["--user", "ada"], ["--into", vault.folder.path("new")],
        ]
        for arguments in ways {
            let result = try Program.run(
                ["restore", file, "--config", vault.folder.path("vault.conf")] + arguments, in: vault.folder)
            #expect(result.status == 5, "\(arguments) \(result.err)")
        }
        #expect(names(vault) == before)
        #expect(try vault.run("show", "ada", "spotify").status == 0)
        for arguments in [[], ["--replace", "--user", "ada"], ["--into", "/x", "--overwrite"]] {
            let result = try Program.run(
                ["restore", file, "--config", vault.folder.path("vault.conf")] + arguments, in: vault.folder)
            #expect(result.status == 64, "\(arguments)")
        }
    }

    @Test(arguments: [false, true]) func oneUserComesBackIntoALivingVault(served: Bool) throws {
        let vault = try BackupTests.filled()
        try vault.put("ada", "github", #"{"accessToken":"OLD","generation":4}"#)
        let file = try backup(vault, "monday.vault")
        try vault.put("ada", "github", #"{"accessToken":"NEW"}"#)
        #expect(try vault.run("delete", "ada", "spotify").status == 0)
        #expect(try vault.run("delete", "grace").status == 0)
        let server = served ? try TestServer(vault) : nil
        let restored = try vault.run("restore", file, "--user", "ada")
        #expect(restored.status == 0, "\(restored.err)")
        // No plugin is there to say that the token can be used twice.
        #expect(restored.out.contains("ada  spotify  uncertain") && restored.out.contains("ada  github  kept"))
        #expect(try vault.run("show", "ada", "spotify", "--reveal").out.contains("RT-CANARY"))
        #expect(try vault.run("show", "ada", "github", "--reveal").out.contains("NEW"))
        #expect(try vault.run("show", "grace", "spotify").status == 2)
        #expect(try vault.run("restore", file, "--user", "ada", "--overwrite").status == 0)
        #expect(try vault.run("show", "ada", "github", "--reveal").out.contains("OLD"))
        #expect(try vault.run("restore", file, "--user", "nobody").status == 2)
        if let server { #expect(server.stop() == 0) }
        #expect(try vault.run("check").status == 0)
    }

    @Test func incrementsAreRestoredInOrderAndAGapIsNamed() throws {
        let vault = try BackupTests.filled()
        #expect(try vault.run("backup", "--incremental", vault.folder.path("none")).status == 3)
        let full = try backup(vault, "full")
        try vault.put("ada", "spotify", #"{"accessToken":"TUESDAY"}"#)
        let one = try backup(vault, "one", "--incremental")
        #expect(try vault.run("delete", "grace").status == 0)
        let two = try backup(vault, "two", "--since", one)
        // Nothing more happened: no file, except for who reads a stream.
        let idle = try vault.run("backup", "--incremental", vault.folder.path("idle"))
        #expect(idle.status == 0 && idle.out.isEmpty && idle.err.contains("nothing changed since"), "\(idle.err)")
        #expect(!vault.folder.exists("idle"))
        let whole = try vault.run("backup", "verify", full, one, two)
        #expect(whole.status == 0 && whole.lines.count == 6)
        #expect(try vault.run("backup", "inspect", two).out.contains("increment"))
        let gap = try vault.run("restore", full, two, "--into", vault.folder.path("new"))
        #expect(gap.status == 3 && gap.err.contains("\(full) ends at") && gap.err.contains("\(two) begins at"))
        #expect(try vault.run("restore", one, "--into", vault.folder.path("new")).status == 3)
        #expect(!vault.folder.exists("new"))
        #expect(try vault.run("restore", full, one, two, "--into", vault.folder.path("new")).status == 0)
        let new = vault.folder.path("new")
        #expect(try vault.run("show", "ada", "spotify", "--reveal", "--store-path", new).out.contains("TUESDAY"))
        #expect(try vault.run("show", "grace", "spotify", "--store-path", new).status == 2)
        #expect(try vault.run("check", "--store-path", new).status == 0)
    }

    /// The server's metrics, by a drill beside it: when it was, and whether it went well.
    @Test func aDrillBesideAServerIsMeasured() throws {
        let vault = try BackupTests.filled()
        let file = try backup(vault, "monday.vault")
        let server = try TestServer(vault)
        #expect(try server.metric("vault_drill_last_timestamp_seconds") == 0)
        #expect(try server.metric("vault_drill_last_good") == 0)
        let before = Double(time(nil))
        #expect(try vault.run("drill").status == 0)
        #expect(try server.metric("vault_drill_last_timestamp_seconds") ?? 0 >= before)
        #expect(try server.metric("vault_drill_last_good") == 1)
        try vault.folder.write("monday.vault", "")
        #expect(try vault.run("drill").status == 5)
        #expect(try server.metric("vault_drill_last_good") == 0)
        #expect(try vault.run("status").out.contains("failed  \(file)"))
        #expect(server.stop() == 0)
    }

    @Test func aDrillIsRememberedAndLeavesNothing() throws {
        let vault = try BackupTests.filled()
        #expect(try vault.run("status").out.contains("last backup           never"))
        #expect(try vault.run("drill").status == 2)
        let file = try backup(vault, "monday.vault")
        let before = names(vault)
        let drill = try vault.run("drill")
        #expect(drill.status == 0 && drill.out.contains("restored and compared  2 connections"), "\(drill.err)")
        #expect(names(vault) == before)
        let status = try vault.run("status")
        #expect(status.out.contains("last backup") && status.out.contains("last drill") && status.out.contains(file))
        #expect(try vault.run("status", "--json").out.contains(#""lastDrill":{"#))
        let bytes = open(file, O_WRONLY)
        pwrite(bytes, "x", 1, lseek(bytes, 0, SEEK_END) - 30)
        close(bytes)
        #expect(try vault.run("drill").status == 5)
        #expect(try vault.run("status").out.contains("failed  \(file)"))
        #expect(names(vault) == before)
    }
}
