import Testing

/// The vault's keys, run as the real program.
@Suite struct KeyCommandTests {
    private static func filled() throws -> TestVault {
        let vault = try TestVault()
        let ada =
            #"{"user":"ada","platform":"spotify","accessToken":"AT-CANARY","refreshToken":"RT-CANARY","subject":"s1"}"#
        // Without an event, which would be a value more.
        try #require(try vault.run("import", "-", "--silent", input: ada).status == 0)
        return vault
    }

    private static func reveals(_ vault: TestVault, _ source: String, input: String = "") throws -> Program.Result {
        try vault.run("show", "ada", "spotify", "--reveal", "--key-source", source, input: input)
    }

    private static func recoveryKey(_ output: String) throws -> String {
        let line = try #require(output.split(separator: "\n").first { $0.hasPrefix("recovery key") })
        return String(try #require(line.split(separator: " ").last))
    }

    @Test func initPrintsARecoveryKeyOnceThatOpensTheVaultAndItsBackups() throws {
        let vault = try TestVault(initialized: false)
        let made = try vault.run("init")
        let recovery = try Self.recoveryKey(made.out)
        #expect(recovery.split(separator: "-").count == 9)
        try vault.put("ada", "spotify", #"{"accessToken":"AT-CANARY"}"#)
        #expect(try Self.reveals(vault, "recovery:", input: recovery + "\n").out.contains("AT-CANARY"))
        #expect(try Self.reveals(vault, "recovery:", input: recovery.lowercased()).out.contains("AT-CANARY"))
        let file = vault.folder.path("b.vault")
        #expect(try vault.run("backup", file).status == 0)
        let verified = try vault.run("backup", "verify", file, "--key-source", "recovery:", input: recovery)
        #expect(verified.status == 0, "\(verified.err)")
        let into = vault.folder.path("restored")
        let restored = try vault.run("restore", file, "--into", into, "--key-source", "recovery:", input: recovery)
        #expect(restored.status == 0, "\(restored.err)")
        let wrong = try Self.reveals(vault, "recovery:", input: "7" + recovery.dropFirst())
        #expect(wrong.status == 5 && !wrong.err.contains(recovery.suffix(4)))
        #expect(try vault.run("key", "list").lines.count == 3)
    }

    @Test func aRecoveryKeyCanBeLeftOutAndMadeLater() throws {
        let vault = try TestVault(initialized: false)
        #expect(try !vault.run("init", "--no-recovery-key").out.contains("recovery"))
        #expect(try vault.run("key", "list").lines.count == 2)
        try vault.put("ada", "spotify", #"{"accessToken":"AT-CANARY"}"#)
        let recovery = try Self.recoveryKey(vault.run("key", "add", "recovery").out)
        #expect(try Self.reveals(vault, "recovery:", input: recovery).out.contains("AT-CANARY"))
    }

    @Test func aVaultOpensWithAPassphraseWhichCanBeChanged() throws {
        let vault = try TestVault(initialized: false)
        try vault.folder.write("words", "correct horse battery\n")
        try vault.folder.write("other", "a whole new set of words\n")
        let (words, other) = (vault.folder.path("words"), vault.folder.path("other"))
        let made = try vault.run("init", "--no-recovery-key", "--key-source", "passphrase:file:\(words)")
        #expect(made.status == 0 && !vault.folder.exists("vault.key"), "\(made.err)")
        let put = try vault.run(
            "put", "ada", "spotify", "--key-source", "passphrase:file:\(words)", input: #"{"accessToken":"AT-CANARY"}"#)
        #expect(put.status == 0, "\(put.err)")
        #expect(try Self.reveals(vault, "passphrase:file:\(other)").status == 5)
        let changed = try vault.run(
            "passphrase", "--new", "file:\(other)", "--key-source", "passphrase:file:\(words)")
        #expect(changed.status == 0 && changed.out.contains("passphrase  changed"), "\(changed.err)")
        #expect(changed.err.contains("the data keys did not change") && changed.err.contains("vault rotate"))
        #expect(changed.err.contains("key.source points at the old passphrase"))
        #expect(try Self.reveals(vault, "passphrase:file:\(words)").status == 5)
        #expect(try Self.reveals(vault, "passphrase:file:\(other)").out.contains("AT-CANARY"))
        let wrong = try vault.run(
            "passphrase", "--old", "file:\(words)", "--new", "file:\(words)", "--key-source", "passphrase:file:\(other)"
        )
        #expect(wrong.status == 5 && wrong.err.contains("not the old passphrase"))
        #expect(try vault.run("passphrase", "--old", "hunter2").status == 64)
    }

    @Test func withoutATerminalAPassphraseIsPointedAt() throws {
        let vault = try Self.filled()
        try vault.folder.write("short", "too short\n")
        let short = try vault.run("key", "add", "passphrase:file:\(vault.folder.path("short"))")
        #expect(short.status == 64 && !short.err.contains("too short"))
    }

    @Test func keysAreAddedAndRemovedBesideAServer() throws {
        let vault = try Self.filled()
        let server = try TestServer(vault)
        let second = "file:\(vault.folder.path("second.key"))"
        let added = try vault.run("key", "add", second)
        #expect(added.status == 0 && vault.folder.exists("second.key"), "\(added.err)")
        #expect(try vault.run("key", "add", second).status == 3, "it opens the vault already")
        let list = try vault.run("key", "list").lines
        #expect(list.count == 4 && list.filter { $0.hasSuffix("yes") }.count == 1)
        let own = String(list[1].prefix(8))
        let refused = try vault.run("key", "remove", own)
        #expect(refused.status == 3 && refused.err.contains("no other is known to work"))
        try server.waitForLog("key.added")
        #expect(server.stop() == 0)
        let removed = try vault.run("key", "remove", own, "--key-source", second)
        #expect(removed.status == 0, "\(removed.err)")
        #expect(try vault.run("connections").status == 5, "the old key opens nothing")
        #expect(try Self.reveals(vault, second).out.contains("AT-CANARY"))
        #expect(try vault.run("key", "remove", "ffffffff", "--key-source", second).status == 2)
    }

    @Test(arguments: [false, true]) func dataKeysAreRotatedWithAndWithoutAServer(hasServer: Bool) throws {
        let vault = try Self.filled()
        let server = hasServer ? try TestServer(vault) : nil
        let plan = try vault.run("rotate", "--dry-run")
        #expect(plan.out.contains("would add term 2, seal 3 values with it and destroy term 1"), "\(plan)")
        let done = try vault.run("rotate")
        #expect(done.status == 0 && done.out.contains("term 2 seals  3 values sealed again"), "\(done)")
        #expect(done.out.contains("term 1 destroyed"))
        let status = try vault.run("rotate", "--status")
        #expect(status.lines.count == 3 && status.out.contains("destroyed") && !status.out.contains("not finished"))
        let shown = try vault.run("show", "ada", "spotify", "--reveal")
        #expect(shown.out.contains("AT-CANARY"))
        #expect(try vault.run("check").status == 0)
        if let server { #expect(server.stop() == 0) }
        #expect(try vault.run("check").status == 0)
    }

    @Test func compactingTakesOutWhatWasDeletedAndNeedsTheVaultForItself() throws {
        let vault = try Self.filled()
        try vault.put("grace", "spotify", #"{"accessToken":"B"}"#)
        do {
            let server = try TestServer(vault)
            let refused = try vault.run("compact")
            #expect(refused.status == 4 && refused.err.contains("stop the server"), "\(refused)")
            #expect(server.stop() == 0)
        }
        #expect(try vault.run("delete", "grace", "spotify").status == 0)
        let done = try vault.run("compact")
        #expect(done.status == 0 && done.out.contains("compacted"), "\(done)")
        #expect(
            vault.folder.names.filter { $0.hasPrefix("store") }
                == ["store", "store.session"].filter(vault.folder.exists))
        #expect(try vault.run("check").status == 0)
        #expect(try vault.run("show", "ada", "spotify", "--reveal").out.contains("AT-CANARY"))
        let kept = try vault.run("compact", "--keep")
        #expect(kept.status == 0 && vault.folder.names.contains { $0.hasPrefix("store.before-") }, "\(kept)")
        #expect(try vault.run("check").status == 0)
    }
}
