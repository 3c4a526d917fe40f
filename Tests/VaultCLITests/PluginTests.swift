import Testing

/// Platforms made of real plugins; the test command builds them before it runs these.
@Suite(.enabled(if: Program.plugins != nil, "the plugins are not built: sh Plugins/build.sh .build/debug/plugins"))
struct PluginTests {
    @Test func aPlatformNeedsAClientIDInTheEnvironmentAndNothingElse() throws {
        let vault = try TestVault(plugins: Program.plugins)
        let environment = ["SPOTIFY_CLIENT_ID": "abc", "SPOTIFY_CLIENT_SECRET": "s", "NOBODY_CLIENT_ID": "x"]
        let status = try vault.run("status", "--json", environment: environment)
        #expect(
            status.out.contains(#"{"available":true,"displayName":"Spotify","platform":"spotify"}"#), "\(status.out)")
        #expect(!status.out.contains("nobody"))
    }

    @Test func aSettingTheProviderDoesNotAskForIsAnErrorWithItsLine() throws {
        let conf = "[platforms.idp]\nprovider = \"oidc\"\nclient-id = \"x\"\nisuer = \"https://id.example.com\""
        let vault = try TestVault(conf: conf, plugins: Program.plugins)
        let result = try vault.run("status")
        #expect(result.status == 78)
        #expect(result.err.contains("vault.conf:12: unknown setting platforms.idp.isuer"), "\(result.err)")
        #expect(result.err.contains("vault: hint: did you mean issuer?"))
    }

    @Test func aSecretThatCannotBeReadCostsItsPlatformOnly() throws {
        let conf = """
            [platforms.spotify]
            client-id = "x"
            client-secret = "file:/nowhere/secret"
            [platforms.youtube]
            client-id = "y"
            """
        let vault = try TestVault(conf: conf, plugins: Program.plugins)
        let status = try vault.run("status", "--json")
        #expect(status.status == 0)
        #expect(status.out.contains("there is no /nowhere/secret"))
        #expect(
            status.out.contains(#"{"available":true,"displayName":"YouTube","platform":"youtube"}"#), "\(status.out)")
    }

    /// The key is one that openssl made for this test.
    @Test func aPrivateKeySignsForApple() throws {
        let key = """
            -----BEGIN PRIVATE KEY-----
            MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgyglhcO6IDo3VK2+7
            WX9moJt6yQZ8sZIP0yA8Vy/6PiihRANCAATocEvwQtYsuQKKsUJQ4PRCfmOdN6Fr
            oRzLTDv7juzrVxxEbjHkENla65WB9cWrpemc0p/CJuOFxKs6L0dIaWkM
            -----END PRIVATE KEY-----

            """
        let conf = """
            [platforms.apple-music]
            client-id = "TEAM123456"
            key-id = "KEY1234567"
            client-secret = 'command:printf %s "$APPLE_KEY"'
            [platforms.youtube]
            client-id = "y"
            """
        let vault = try TestVault(conf: conf, plugins: Program.plugins)
        let good = try vault.run("status", "--json", environment: ["APPLE_KEY": key])
        #expect(
            good.out.contains(#"{"available":true,"displayName":"Apple Music","platform":"apple-music"}"#),
            "\(good.out)")
        let bad = try vault.run("status", "--json", environment: ["APPLE_KEY": "this is no key"])
        #expect(bad.out.contains("platforms.apple-music.client-secret: it is not a private key of P-256"), "\(bad.out)")
        #expect(!(bad.out + bad.err).contains("this is no key"))
        #expect(bad.out.contains(#"{"available":true,"displayName":"YouTube","platform":"youtube"}"#))
    }

    @Test func aSectionThatCannotWorkCostsItsPlatformOnly() throws {
        let conf = """
            [platforms.idp]
            provider = "oidc"
            client-id = "x"
            [platforms.youtube]
            client-id = "y"
            """
        let vault = try TestVault(conf: conf, plugins: Program.plugins)
        let status = try vault.run("status", "--json")
        #expect(status.status == 0)
        #expect(status.out.contains("the provider oidc needs the setting issuer"), "\(status.out)")
        #expect(status.out.contains(#""hint":"set issuer in [platforms.idp]""#), "\(status.out)")
        #expect(
            status.out.contains(#"{"available":true,"displayName":"YouTube","platform":"youtube"}"#), "\(status.out)")
    }

    @Test func aPinnedPluginThatIsOtherBytesIsNotUsed() throws {
        let pin = "spotify.so=" + String(repeating: "00", count: 32)
        let vault = try TestVault(conf: "pins = [\"\(pin)\"]", plugins: Program.plugins)
        let plugins = try vault.run("plugins")
        #expect(plugins.out.contains(/spotify\.so +not usable/), "\(plugins.out)")
        #expect(plugins.out.contains(/sandbox\.so +sandbox/))
    }

    @Test(arguments: ["process", "in-process"]) func theSandboxIsAPlatformWhenAskedFor(_ isolation: String) throws {
        let vault = try TestVault(conf: "isolation = \"\(isolation)\"\n[sandbox]\nport = 0", plugins: Program.plugins)
        let server = try TestServer(vault, "--sandbox", "--demo")
        let status = try vault.run("status", "--json")
        #expect(
            status.out.contains(#"{"available":true,"displayName":"Sandbox","platform":"sandbox"}"#), "\(status.out)")
        #expect(try vault.run("plugins", "--json").out.contains(#""platforms":["sandbox"]"#))
        #expect(server.stop() == 0)
    }
}
