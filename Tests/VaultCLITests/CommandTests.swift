import Testing

/// The commands, run as the real program.
@Suite struct CommandTests {
    @Test func initMakesAKeyAndAVaultForTheirOwnerAlone() throws {
        let vault = try TestVault()
        #expect(vault.folder.exists("vault.key") && vault.folder.exists("store/data.mdb"))
        let again = try vault.run("init")
        #expect(again.status == 3)
        #expect(again.err.contains("vault: error: there is a vault at"))
        #expect(again.err.contains("vault: hint: "))
    }

    @Test func whatIsPutIsShown() throws {
        let vault = try TestVault()
        try vault.put(
            "ada", "spotify",
            #"{"accessToken":"AT-1","refreshToken":"RT-1","scope":"a b","expiresAt":1893456000,"subject":"s"}"#)
        let shown = try vault.run("show", "ada", "spotify", "--json")
        #expect(shown.status == 0)
        #expect(shown.out.contains(#""expiresAt":"2030-01-01T00:00:00Z""#))
        #expect(shown.out.contains(#""refreshable":true"#))
        #expect(!shown.out.contains("AT-1") && !shown.out.contains("RT-1"))
        let revealed = try vault.run("show", "ada", "spotify", "--json", "--reveal")
        #expect(revealed.out.contains(#""accessToken":"AT-1""#) && revealed.out.contains(#""refreshToken":"RT-1""#))
        let people = try vault.run("show", "ada", "spotify")
        #expect(people.out.contains("health         healthy") && !people.out.contains("AT-1"))
    }

    @Test func connectionsAreListedInColumnsAndInJSON() throws {
        let vault = try TestVault()
        #expect(try vault.run("connections").err.contains("there are no connections yet"))
        try vault.put("ada", "spotify", #"{"accessToken":"A"}"#)
        try vault.put("ada", "youtube", #"{"accessToken":"B"}"#)
        try vault.put("grace", "spotify", #"{"accessToken":"C"}"#)
        let all = try vault.run("connections")
        #expect(all.lines.count == 4)
        #expect(all.lines[0].hasPrefix("USER   PLATFORM  HEALTH"))
        #expect(try vault.run("connections", "ada", "--json").lines.count == 2)
        #expect(try vault.run("connections", "nobody").out == "")
    }

    @Test func aLongListHasOneHeader() throws {
        let vault = try TestVault()
        let lines = (0..<1001).map { #"{"user":"u\#($0)","platform":"spotify","accessToken":"A"}"# }
        #expect(try vault.run("import", "-", input: lines.joined(separator: "\n")).status == 0)
        let all = try vault.run("connections").lines
        #expect(all.count == 1002)
        #expect(all.count { $0.hasPrefix("USER") } == 1 && all[0].hasPrefix("USER"))
        // In key order, so the block after the first begins with a short name in a column that is as wide.
        #expect(all[1001].hasPrefix("u999   spotify"))
    }

    @Test func anExportIsImportedElsewhereAsItWas() throws {
        let vault = try TestVault()
        try vault.put(
            "ada", "spotify", #"{"accessToken":"A","refreshToken":"R","scope":"x","subject":"s1","displayName":"Ada"}"#)
        try vault.put("grace", "soundcloud", #"{"accessToken":"B","expiresAt":"2031-05-06T07:08:09Z"}"#)
        let lines = try vault.run("export")
        #expect(lines.status == 0 && lines.lines.count == 2)
        let other = try TestVault()
        let dry = try other.run("import", "-", "--dry-run", input: lines.out)
        #expect(dry.out == "2 connections would be imported\n")
        #expect(try other.run("export").out == "")
        let done = try other.run("import", "-", input: lines.out)
        #expect(done.status == 0 && done.out == "2 connections imported\n")
        #expect(try other.run("export").out == lines.out)
    }

    @Test func anImportWithOneBadLineWritesNothing() throws {
        let vault = try TestVault()
        let good = #"{"user":"ada","platform":"spotify","accessToken":"A"}"#
        for (bad, words) in [
            ("{", ":2: no JSON"), ("{}", ":2: accessToken is missing"), ("[1]", ":2: "),
            (#"{"user":"","platform":"x","accessToken":"A"}"#, ":2: a user name must be"),
            (#"{"user":"b","platform":"Bad Name","accessToken":"A"}"#, ":2: a platform name is"),
            (#"{"user":"b","platform":"x","accessToken":"A","expiresAt":"soon"}"#, ":2: expiresAt expects a moment"),
            (#"{"user":"b","platform":"x","accessToken":7}"#, ":2: accessToken is no string"),
            (#"{"user":"b","platform":"x","access_token":"A"}"#, ":2: access_token is no field"),
            (
                #"{"user":"b","platform":"x","a-token-where-a-name-should-be":"A"}"#,
                ":2: one of the names is no field"
            ),
            (#"{"user":"b","platform":"x","accessToken":"A","health":"fine"}"#, ":2: health is none of"),
            (good, ":2: ada at spotify stands there twice"),
        ] {
            let result = try vault.run("import", "-", input: good + "\n" + bad + "\n")
            #expect(result.status == 64, "\(bad)")
            #expect(result.err.contains("vault: error: standard input\(words)"), "\(result.err)")
            #expect(result.err.contains("vault: hint: "), "\(bad)")
        }
        #expect(try vault.run("export").out == "")
    }

    @Test func aProvidersOwnNamesAreExplained() throws {
        let vault = try TestVault()
        let result = try vault.run("put", "ada", "spotify", input: #"{"access_token":"SECRET-TOKEN"}"#)
        #expect(result.status == 64)
        #expect(result.err.contains("vault: hint: did you mean accessToken?"))
        #expect(!result.err.contains("SECRET-TOKEN"))
    }

    @Test func anAccountBelongsToOneUser() throws {
        let vault = try TestVault()
        try vault.put("ada", "spotify", #"{"accessToken":"A","subject":"s1"}"#)
        let result = try vault.run("put", "grace", "spotify", input: #"{"accessToken":"B","subject":"s1"}"#)
        #expect(result.status == 3)
        #expect(result.err.contains("belongs to another user here"))
        #expect(try vault.run("connections", "grace").out == "")
    }

    @Test func deleteTakesOneOrAll() throws {
        let vault = try TestVault()
        for platform in ["spotify", "youtube", "soundcloud"] {
            try vault.put("ada", platform, #"{"accessToken":"A"}"#)
        }
        _ = try vault.run("session", "issue", "ada")
        #expect(try vault.run("delete", "ada", "youtube").out == "1 connection deleted\n")
        #expect(try vault.run("delete", "ada", "youtube").status == 2)
        #expect(try vault.run("delete", "ada").out == "2 connections and 1 session deleted\n")
        #expect(try vault.run("events", "--json").lines.count { $0.contains("connection.revoked") } == 3)
        #expect(try vault.run("connections").out == "")
    }

    @Test func whatEndedIsGoneAtOnceAndSweptLater() throws {
        let vault = try TestVault(conf: "[records]\nsweep-grace = \"0s\"")
        try vault.put("ada", "spotify", #"{"accessToken":"A","endsAt":"2020-01-01T00:00:00Z"}"#)
        try vault.put("ada", "youtube", #"{"accessToken":"B"}"#)
        #expect(try vault.run("show", "ada", "spotify").status == 2)
        #expect(try vault.run("connections").lines.count == 2)
        #expect(
            try vault.run("sweep", "--dry-run").out.contains("ada  spotify\n1 connection, 0 sessions, 0 logins would"))
        #expect(try vault.run("sweep").out == "1 connection, 0 sessions, 0 logins removed\n")
        #expect(try vault.run("sweep").out == "0 connections, 0 sessions, 0 logins removed\n")
        #expect(try vault.run("connections").lines.count == 2)
    }

    @Test func statusSaysHowItIs() throws {
        let vault = try TestVault(conf: "[platforms.spotify]\nclient-id = \"x\"")
        try vault.put("ada", "spotify", #"{"accessToken":"A"}"#)
        let status = try vault.run("status")
        #expect(status.out.contains("connections           1\n"))
        #expect(status.out.contains("none is running"))
        #expect(status.out.contains("not available"))
        #expect(try vault.run("status", "--json").out.contains(#""connections":1"#))
    }

    @Test func aSoundVaultIsCalledSoundAndAnotherIsNot() throws {
        let vault = try TestVault()
        try vault.put("ada", "spotify", #"{"accessToken":"A"}"#)
        let check = try vault.run("check")
        #expect(check.status == 0 && check.lines.first == "sound  1 connection", "\(check.err)")
        #expect(try vault.run("check", "--json").out.contains(#""sound":true"#))
    }

    @Test func withoutAVaultACommandSaysHowToMakeOne() throws {
        let vault = try TestVault(initialized: false)
        let result = try vault.run("connections")
        #expect(result.status == 2)
        #expect(result.err.contains("vault: hint: make a key and a vault with: vault init"))
        #expect(vault.folder.names.filter { !$0.hasPrefix("run") } == ["vault.conf"])
    }

    @Test func anotherKeyDoesNotOpenIt() throws {
        let vault = try TestVault()
        try vault.folder.write("other.key", String(repeating: "ab", count: 32) + "\n", mode: 0o400)
        let result = try vault.run("connections", "--key-source", "file:\(vault.folder.path("other.key"))")
        #expect(result.status == 5)
    }

    @Test func theKeyMayComeByTheEnvironmentWithAWarning() throws {
        let vault = try TestVault(initialized: false)
        let environment = ["ENCRYPTION_KEY": String(repeating: "ab", count: 32)]
        #expect(try vault.run("init", environment: environment).status == 0)
        #expect(!vault.folder.exists("vault.key"))
        let result = try vault.run("connections", environment: environment)
        #expect(result.status == 0)
        #expect(result.err.contains("the root key came by the environment"))
        #expect(try vault.run("connections", environment: ["ENCRYPTION_KEY": "abc"]).status == 5)
    }

    @Test(arguments: [
        (["shw"], "hint: did you mean show? see: vault --help"),
        (["key", "lst"], "hint: did you mean list? see: vault key --help"),
        (["frobnicate"], "hint: see: vault --help"),
    ]) func aCommandThatIsNoneNamesTheNearest(_ arguments: [String], _ words: String) throws {
        let vault = try TestVault()
        let result = try Program.run(arguments, in: vault.folder)
        #expect(result.status == 64)
        #expect(result.err.contains(words), "\(result.err)")
    }

    @Test(arguments: [
        (["put", "ada"], "missing expected argument '<platform>'"), (["shw"], "unexpected argument 'shw'"),
        (["show", "ada", "spotify", "--revel"], "unknown option '--revel'"), (["backup"], "missing expected argument"),
        (["backup", "verify"], "missing expected argument"),
        (["session", "issue"], "missing expected argument '<user>'"),
        (["restore", "x"], "say where to: --into DIRECTORY, --replace or --user USER"),
        (["show", "ada", "Spotify"], "a platform name is"),
        (["show", "", "spotify"], "a user name must be"), (["connections", "--set", "x"], "--set needs key=value"),
    ]) func wrongArgumentsAreUsageErrorsWithAHint(_ arguments: [String], _ words: String) throws {
        let vault = try TestVault()
        let result = try Program.run(
            arguments + (arguments == ["shw"] ? [] : ["--config", vault.folder.path("vault.conf")]), in: vault.folder)
        #expect(result.status == 64)
        #expect(result.out == "")
        #expect(result.err.hasPrefix("vault: error: ") && result.err.contains(words), "\(result.err)")
        #expect(result.err.contains("\nvault: hint: "), "\(result.err)")
    }

    @Test func wrongSettingsHaveAStatusOfTheirOwn() throws {
        let vault = try TestVault(conf: "[log]\nlevl = \"info\"", initialized: false)
        let result = try vault.run("connections")
        #expect(result.status == 78)
        #expect(result.err.contains("vault.conf:10: unknown setting log.levl"))
        #expect(result.err.contains("vault: hint: did you mean log.level?"))
        #expect(try vault.run("connections", "--config", "/nowhere.conf").status == 78)
    }

    @Test(
        arguments: [
            [], ["init"], ["serve"], ["sandbox"], ["status"], ["connections"], ["show"], ["put"], ["import"],
            ["export"],
            ["refresh"], ["disconnect"], ["delete"], ["sweep"], ["check"], ["backup"], ["backup", "create"],
            ["backup", "verify"],
            ["backup", "inspect"], ["restore"], ["key", "list"], ["key", "add"], ["key", "remove"], ["passphrase"],
            ["backup", "keygen"], ["drill"], ["rotate"], ["compact"], ["plugins"], ["session"], ["session", "issue"],
        ] as [[String]]) func helpFitsAScreenStartsWithExamplesAndEndsWithExitStatuses(_ command: [String]) throws
    {
        let folder = try Folder()
        let help = try Program.run(command + ["--help"], in: folder)
        #expect(help.status == 0 && help.err == "")
        let lines = help.out.split(separator: "\n", omittingEmptySubsequences: false)
        // The program's own has a line for each command.
        #expect(lines.count <= (command.isEmpty ? 56 : 50))
        #expect(lines.allSatisfy { $0.count <= 100 })
        if command != ["session"] { #expect(lines.dropFirst(2).first?.contains("vault ") == true, "\(help.out)") }
        #expect(help.out.hasSuffix("  64  wrong arguments or input\n  78  wrong settings\n"))
    }

    @Test func aStoreDeepInTheTreeWorks() throws {
        let vault = try TestVault()
        let deep = vault.folder.path(String(repeating: "a-long-name-of-a-folder/", count: 5) + "store")
        #expect(try vault.run("init", "--store-path", deep).status == 0)
        #expect(try vault.run("status", "--store-path", deep).status == 0)
    }
}
