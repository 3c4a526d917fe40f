import Testing

/// Service keys and events from the command line, with a server and without.
@Suite struct ServiceCommandTests {
    private static let hook = """
        [webhooks.hook]
        url = "http://127.0.0.1:1/hook"
        secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
        """

    @Test func aKeyIsMadeShownOnceListedAndRevoked() throws {
        let vault = try TestVault()
        let made = try vault.run("service", "create", "nightly", "--platform", "spotify", "--action", "read-token")
        #expect(made.status == 0, "\(made.err)")
        let key = try #require(made.lines.first)
        #expect(key.hasPrefix("vlt_") && key.count == 92)
        #expect(made.err.contains("not shown again"))
        let list = try vault.run("service", "list")
        #expect(list.out.contains("nightly") && list.out.contains("read-token at spotify"), "\(list.out)")
        #expect(!list.out.contains(key.dropFirst(20)))
        #expect(try vault.run("service", "create", "nightly").status == 3)
        #expect(try vault.run("service", "revoke", "nightly").status == 0)
        #expect(try vault.run("service", "revoke", "nightly").status == 2)
        #expect(try vault.run("service", "list").out.isEmpty)
        for bad in [["--expires", "soon"], ["--action", "all"], ["--platform", "A B"]] {
            let arguments = ["service", "create", "x"] + bad + ["--config", vault.folder.path("vault.conf")]
            #expect(try Program.run(arguments, in: vault.folder).status == 64, "\(bad)")
        }
    }

    @Test func bothWorkThroughAServer() throws {
        let vault = try TestVault(conf: Self.hook)
        let server = try TestServer(vault)
        let made = try vault.run("service", "create", "job", "--json")
        #expect(made.status == 0 && made.out.contains("\"key\":\"vlt_"), "\(made.err)")
        try vault.put("ada", "spotify", #"{"accessToken":"AT-CANARY"}"#)
        #expect(try vault.run("disconnect", "ada", "spotify").status == 0)
        let events = try vault.run("events", "--json")
        #expect(
            events.lines.count == 2 && events.lines[0].contains("connection.connected")
                && events.lines[1].contains("connection.revoked"), "\(events.out)\(events.err)")
        #expect(events.out.contains("\"by\":\"operator\""))
        #expect(!events.out.contains("CANARY"))
        #expect(try vault.run("events", "--dead").out.isEmpty)
        #expect(try vault.run("events", "--replay", "evt_0").status == 2)
        try server.waitForLog("webhook.failed")
        #expect(server.stop() == 0)
        // What could not be told waits for the next server; it can be seen meanwhile.
        let later = try vault.run("events")
        #expect(later.out.contains("hook pending (connect-failed)"), "\(later.out)")
        #expect(try vault.run("status").out.contains("events to tell"))
    }

    @Test(arguments: [
        ("url = \"http://example.com/x\"\nsecret = \"env:X\"", "no https address"),
        ("url = \"https://example.com/x\"", "has no secret"),
        (
            "url = \"https://example.com/x\"\nsecret = \"env:X\"\nevents = [\"connected\"]",
            "there is no event connected"
        ),
        ("secrets = \"env:X\"", "did you mean webhooks.hook.secret"),
    ]) func aWrongWebhookIsToldWithItsPlace(section: String, words: String) throws {
        let vault = try TestVault(conf: "[webhooks.hook]\n\(section)", initialized: false)
        let result = try vault.run("status")
        #expect(result.status == 78 && result.err.contains(words), "\(result.err)")
        #expect(result.err.contains("webhooks.hook"))
    }

    @Test func aServerWithAnUnreadableSecretSaysWhich() throws {
        let vault = try TestVault(
            conf: "[webhooks.hook]\nurl = \"https://example.com/x\"\nsecret = \"env:NO_SUCH_NAME\"")
        let result = try vault.run("serve")
        #expect(result.status == 78 && result.err.contains("webhooks.hook.secret"), "\(result.err)")
        // Commands do without it.
        #expect(try vault.run("status").status == 0)
    }
}
