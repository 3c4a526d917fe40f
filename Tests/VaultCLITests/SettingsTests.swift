import Testing
import Vault
import VaultBase
import VaultProviders

@testable import VaultCLI

/// How settings are read and put together.
@Suite struct SettingsTests {
    static func read(
        _ text: String, _ environment: [String: String] = [:], _ options: [(String, String)] = []
    ) throws -> Settings {
        let given = options.map { path, value in
            (path: path, value: value, option: SettingTable.all.first { $0.path == path }?.optionName ?? "--set")
        }
        return try SettingsReader.read(
            SettingsFile(name: "vault.conf", text: text), environment: environment, options: given)
    }

    @Test func theCommandLineWinsOverTheEnvironmentAndThatOverTheFile() throws {
        let text = "[store]\nquota = \"1GiB\""
        #expect(try Self.read("")[\.quota] == 8 << 30)
        #expect(try Self.read(text)[\.quota] == 1 << 30)
        let environment = ["VAULT_STORE_QUOTA": "2GiB"]
        #expect(try Self.read(text, environment)[\.quota] == 2 << 30)
        #expect(try Self.read(text, environment, [("store.quota", "3GiB")])[\.quota] == 3 << 30)
    }

    @Test func everyTypeIsReadFromTheFile() throws {
        let settings = try Self.read(
            """
            listen = "[::1]:9000"
            trusted-proxies = ["10.0.0.0/8", "fd00::1"]
            [frontend]
            demo = true
            url = "https://app.example.com"
            [records]
            lifetime = "30d"
            [login]
            per-minute = 5
            [session]
            delivery = "cookie"
            """)
        #expect(settings[\.listen].host == "::1")
        #expect(settings[\.trustedProxies] == ["10.0.0.0/8", "fd00::1"])
        #expect(settings[\.demo])
        #expect(settings[\.recordLifetime] == .seconds(30 * 86_400))
        #expect(settings[\.loginLimit] == 5)
        #expect(settings[\.delivery] == .cookie)
    }

    @Test func everyTypeIsReadFromTheEnvironment() throws {
        let settings = try Self.read(
            "",
            [
                "VAULT_FRONTEND_DEMO": "true", "VAULT_LOGIN_PER_MINUTE": "7", "VAULT_SESSION_LIFETIME": "90m",
                "VAULT_FRONTEND_RETURN_TO": "/, /account", "VAULT_PLUGINS_ISOLATION": "in-process",
            ])
        #expect(settings[\.demo])
        #expect(settings[\.loginLimit] == 7)
        #expect(settings[\.sessionLifetime] == .seconds(5400))
        #expect(settings[\.returnTo] == ["/", "/account"])
        #expect(settings[\.isolation] == .inProcess)
    }

    @Test func aPlatformSaysWhereItsPluginRuns() throws {
        let settings = try Self.read(
            """
            [platforms.one]
            provider = "acme"
            client-id = "x"
            isolation = "in-process"
            [platforms.three]
            provider = "other"
            client-id = "x"
            isolation = ""
            [platforms.two]
            provider = "acme"
            client-id = "y"
            isolation = "in-process"
            """)
        #expect(settings.isolations == ["acme": .inProcess])
        #expect(settings[\.isolation] == .process)
    }

    @Test(arguments: [
        ("500ms", 500), ("90s", 90_000), ("15m", 900_000), ("2h", 7_200_000), ("30d", 2_592_000_000), ("0s", 0),
    ]) func timesAreRead(_ text: String, _ milliseconds: Int64) {
        #expect(Times.read(text) == .milliseconds(milliseconds))
    }

    @Test(arguments: ["", "s", "1", "1 s", "-1s", "1.5h", "1w", "99999999999999999999d", "9223372036854775807d"])
    func otherTimesAreNot(_ text: String) { #expect(Times.read(text) == nil) }

    @Test(arguments: [("1B", 1), ("64MiB", 64 << 20), ("1GiB", 1 << 30), ("3TiB", 3 << 40)])
    func sizesAreRead(_ text: String, _ bytes: Int) { #expect(Sizes.read(text) == bytes) }

    @Test(arguments: ["64", "64MB", "64 MiB", "MiB", "-1MiB", "9999999999999TiB"])
    func otherSizesAreNot(_ text: String) { #expect(Sizes.read(text) == nil) }

    @Test func theNamesOfOldGoOnWorking() throws {
        let settings = try Self.read(
            "[platforms.my-idp]\nprovider = \"oidc\"\nissuer = \"https://id.example.com\"",
            [
                "FRONTEND_URL": "https://app.example.com", "JWT_SECRET": "0123456789abcdef0123456789abcdef",
                "MY_IDP_CLIENT_ID": "mine", "MY_IDP_CLIENT_SECRET": "file:not-a-file", "SPOTIFY_CLIENT_ID": "abc",
                "SPOTIFY_CLIENT_SECRET": "s", "SPOTIFY_REDIRECT_URI": "https://api.example.com/auth/spotify/callback",
                "DYNAMODB_TABLE_NAME": "tokens", "DYNAMODB_REGION": "eu-west-1",
            ])
        #expect(settings.frontendURL == "https://app.example.com")
        #expect(settings[\.sessionSecret] == .literal(Secret("0123456789abcdef0123456789abcdef")))
        let platform = try #require(settings.platforms.first)
        #expect(platform[\.clientID] == "mine")
        #expect(platform.provider == "oidc")
        #expect(platform.parameters["issuer"]?.value == "https://id.example.com")
        let unclaimed = try #require(settings.unclaimed.first { $0.name.rawValue == "spotify" })
        #expect(unclaimed[\.clientID] == "abc")
        #expect(unclaimed.redirectURI(settings) == "https://api.example.com/auth/spotify/callback")
        #expect(settings.notices.count == 2)
        #expect(settings.notices.allSatisfy { $0.contains("does nothing while store.backend is \"lmdb\"") })
    }

    @Test func aMistypedNameOfTheEnvironmentIsNoticed() throws {
        let settings = try Self.read("", ["VAULT_STORE_PTH": "/x", "VAULT_ADDR": "http://127.0.0.1:8200"])
        #expect(settings.notices == ["VAULT_STORE_PTH is no setting; did you mean VAULT_STORE_PATH?"])
    }

    @Test func redirectURIsFollowThePublicAddress() throws {
        let settings = try Self.read(
            "public-url = \"https://api.example.com/\"\n[platforms.spotify]\nclient-id = \"x\"")
        #expect(settings.platforms[0].redirectURI(settings) == "https://api.example.com/auth/spotify/callback")
    }

    @Test func theHomeDirectoryIsFilledIn() throws {
        let path = try Self.read("")[\.storePath]
        #expect(path.hasPrefix("/") && path.hasSuffix("/.local/share/vault"))
    }

    @Test func optionsOfSettingsBecomeAssignments() {
        #expect(
            OptionNames.rewrite(["serve", "--store-path", "/x", "--frontend-demo", "--log-level=debug", "--json"])
                == [
                    "serve", "--set", "store.path=/x", "--set", "frontend.demo=true", "--set", "log.level=debug",
                    "--json",
                ])
        #expect(OptionNames.rewrite(["show", "--", "--store-path"]) == ["show", "--", "--store-path"])
    }

    @Test(arguments: [("stroe.path", "store.path"), ("sesion.lifetime", "session.lifetime"), ("xyzzy", nil)])
    func theNearestNameIsFound(_ name: String, _ meant: String?) {
        #expect(NearestName.of(name, among: SettingTable.all.map(\.path)) == meant)
    }
}
