import Testing
import VaultBase

@testable import VaultCLI

/// Bad settings, each with its clear error and what to do next.
@Suite struct BadSettingsTests {
    struct Bad: Sendable, CustomTestStringConvertible {
        var text: String
        var error: String
        var hint: String
        var environment: [String: String] = [:]
        var options: [String] = []
        var testDescription: String { error }
    }

    static let platform = "[platforms.spotify]\nclient-id = \"id\"\n"

    static let table: [Bad] = [
        // The file
        Bad(text: "listen = ", error: "vault.conf:1: ", hint: "strings stand in quotes"),
        Bad(text: "\n\n[store\npath = \"x\"", error: "vault.conf:3: ", hint: "sections look like [store]"),
        Bad(text: "listen = 127.0.0.1:8000", error: "vault.conf:1: ", hint: "strings stand in quotes"),
        Bad(text: "[store]\npath = \"a\"\npath = \"b\"", error: "vault.conf:3: ", hint: "strings stand"),
        // Names
        Bad(
            text: "\n[store]\npth = \"x\"", error: "vault.conf:3: unknown setting store.pth",
            hint: "did you mean store.path?"),
        Bad(text: "lsten = \"x\"", error: "vault.conf:1: unknown setting lsten", hint: "did you mean listen?"),
        Bad(
            text: "[stor]\npath = \"x\"", error: "vault.conf:2: unknown setting stor.path",
            hint: "did you mean store.path?"),
        Bad(text: "quota = \"1GiB\"", error: "unknown setting quota", hint: "did you mean store.quota?"),
        Bad(
            text: "[banana]\nsplit = 1", error: "unknown setting banana.split",
            hint: "every setting stands in vault.conf"),
        Bad(
            text: platform + "client-secrt = \"x\"",
            error: "vault.conf:3: unknown setting platforms.spotify.client-secrt",
            hint: "did you mean platforms.spotify.client-secret?"),
        Bad(
            text: "[platforms.Spotify]\nclient-id = \"x\"", error: "\"Spotify\" is no platform's name",
            hint: "a-z, 0-9 and -"),
        Bad(text: "[platforms]\nspotify = \"x\"", error: "platforms.spotify is a section", hint: "[platforms.spotify]"),
        Bad(text: platform + "market = 3", error: "platforms.spotify.market expects a string", hint: "market = \"…\""),
        // TLS
        Bad(
            text: "[tls]\nredirect = \"127.0.0.1:8080\"",
            error: "vault.conf:2: tls.redirect is set, and there is no https",
            hint: "set tls.certificates and tls.key"),
        Bad(
            text: "[tls]\ncertificates = \"a\"\nkey = \"b\"\nredirect = \"127.0.0.1:8080\"",
            error: "vault.conf:4: tls.redirect is set, and public-url does not say where to", hint: "set public-url"),
        Bad(
            text: "[tls]\nredirect = \"80\"",
            error: "tls.redirect expects an address and a port like 0.0.0.0:80, or \"\"",
            hint: "plain http"),
        Bad(text: "[limits]\nhead-time = \"1ms\"", error: "limits.head-time expects a time", hint: "TLS handshake"),
        Bad(
            text: "[session]\nalgorithm = \"none\"", error: "session.algorithm expects one of \"HS256\", \"EdDSA\"",
            hint: "jwks.json"),
        // Types
        Bad(
            text: "listen = 8000",
            error: "listen expects an address and a port like 127.0.0.1:8000 or [::1]:8000, not 8000",
            hint: "where the frontend reaches the vault"),
        Bad(text: "listen = \"8000\"", error: "listen expects an address and a port", hint: "listen:"),
        Bad(text: "listen = \"::1:8000\"", error: "listen expects", hint: "listen:"),
        Bad(text: "listen = \"127.0.0.1:70000\"", error: "listen expects", hint: "listen:"),
        Bad(text: "[store]\nquota = \"8GB\"", error: "store.quota expects a size like 64MiB", hint: "reads go on"),
        Bad(text: "[store]\nquota = \"1KiB\"", error: "1MiB at least", hint: "reads go on"),
        Bad(
            text: "[store]\nbackend = \"sqlite\"", error: "store.backend expects one of \"lmdb\"",
            hint: "how records are kept"),
        Bad(
            text: "[session]\nlifetime = 3600", error: "session.lifetime expects a time like 90s, 15m, 2h or 30d",
            hint: "how long"),
        Bad(text: "[session]\nlifetime = \"5s\"", error: "from 1m to 366d, not \"5s\"", hint: "how long"),
        Bad(
            text: "[session]\ndelivery = \"header\"",
            error: "one of \"fragment\", \"cookie\", \"code\", not \"header\"", hint: "hands it over"),
        Bad(
            text: "[frontend]\ndemo = \"yes\"", error: "frontend.demo expects true or false, without quotes",
            hint: "demo page"),
        Bad(
            text: "[frontend]\nreturn-to = \"/\"", error: "frontend.return-to expects a list of strings",
            hint: "returnTo"),
        Bad(text: "[frontend]\nreturn-to = [1]", error: "a list of something else than strings", hint: "returnTo"),
        Bad(
            text: "[frontend]\nurl = \"app.example.com\"", error: "frontend.url expects an address like https://",
            hint: "login"),
        Bad(text: "[frontend]\nurl = \"https://a@b.example\"", error: "frontend.url expects an address", hint: "login"),
        Bad(text: "[login]\nper-minute = 0", error: "a whole number from 1 to 100000", hint: "logins begun"),
        Bad(text: "[login]\nper-minute = 1.5", error: "login.per-minute expects a whole number", hint: "logins begun"),
        Bad(
            text: "[records]\nlifetime = \"soon\"", error: "records.lifetime expects a time like 30d",
            hint: "longest life"),
        Bad(text: "[log]\nlevel = \"loud\"", error: "log.level expects one of \"trace\"", hint: "trace, debug"),
        Bad(text: "[store]\npath = [\"x\"]", error: "store.path expects a path in quotes", hint: "directory"),
        // Rules
        Bad(
            text: "listen = \"0.0.0.0:8000\"", error: "listen is 0.0.0.0:8000, where others could read tokens",
            hint: "trusted-proxies"),
        Bad(text: "admin = \"0.0.0.0:8001\"", error: "metrics and health are for this machine only", hint: "127.0.0.1"),
        Bad(
            text: "trusted-proxies = [\"proxy.local\"]", error: "\"proxy.local\", which is no address",
            hint: "10.0.0.0/8"),
        Bad(text: "trusted-proxies = [\"10.0.0.0/40\"]", error: "which is no address", hint: "networks"),
        Bad(text: "[tls]\ncertificates = \"a.pem\"", error: "tls.key is not set", hint: "or neither"),
        Bad(
            text: "[frontend]\nurl = \"http://app.example.com\"", error: "frontend.url is plain http", hint: "use https"
        ),
        Bad(text: "public-url = \"http://api.example.com\"", error: "public-url is plain http", hint: "use https"),
        Bad(
            text: "[frontend]\nreturn-to = [\"//evil.example\"]", error: "neither a path nor a safe address",
            hint: "https"),
        Bad(
            text: "[frontend]\norigins = [\"https://app.example.com/x\"]", error: "which is no safe origin",
            hint: "without a path"),
        Bad(
            text: "[key]\nsource = \"00112233\"", error: "key.source is not a reference",
            hint: "vault init makes the file"),
        Bad(
            text: "[plugins]\npins = [\"spotify.so\"]", error: "plugins.pins has an entry that is no pin",
            hint: "sha256"),
        Bad(
            text: "[platforms.spotify]\nscopes = []", error: "platforms.spotify has no client-id",
            hint: "SPOTIFY_CLIENT_ID"),
        Bad(text: "[platforms.my-idp]", error: "platforms.my-idp has no client-id", hint: "MY_IDP_CLIENT_ID"),
        Bad(
            text: platform + "redirect-uri = \"http://api.example.com/cb\"", error: "redirect-uri is plain http",
            hint: "use https"),
        Bad(
            text: platform + "issuer = \"http://id.example.com\"", error: "platforms.spotify.issuer is plain http",
            hint: "on this machine only"),
        Bad(
            text: platform + "issuer = \"http://127.0.0.1:1\"", error: "platforms.spotify.issuer is plain http",
            hint: "insecure-loopback = true"),
        Bad(
            text: "listen = \"0.0.0.0:1\"\ntrusted-proxies = [\"10.0.0.1\"]\npublic-url = \"https://api.example.com\"\n"
                + platform
                + "client-secret = \"hunter2hunter2\"", error: "client-secret is written in the file itself",
            hint: "file:/run/secrets"),
        Bad(
            text: platform + "isolation = \"none\"", error: "platforms.spotify.isolation expects one of",
            hint: "where its plugin runs"),
        Bad(
            text: platform
                + "isolation = \"in-process\"\n[platforms.second]\nprovider = \"spotify\"\nclient-id = \"y\"",
            error: "platforms.spotify.isolation is not that of platforms.second, which has the same provider",
            hint: "say the same in both"),
        // The environment and the command line
        Bad(
            text: "", error: "VAULT_STORE_QUOTA: store.quota expects a size", hint: "reads go on",
            environment: ["VAULT_STORE_QUOTA": "lots"]),
        Bad(
            text: "", error: "FRONTEND_URL: frontend.url is plain http", hint: "use https",
            environment: ["FRONTEND_URL": "http://app.example.com"]),
        Bad(
            text: platform, error: "SPOTIFY_REDIRECT_URI: platforms.spotify.redirect-uri expects an address",
            hint: "as registered",
            environment: ["SPOTIFY_REDIRECT_URI": "nonsense"]),
        Bad(text: "", error: "--log-level: log.level expects one of", hint: "trace", options: ["log.level=loud"]),
        Bad(
            text: "", error: "--set: unknown setting log.levl", hint: "did you mean log.level?",
            options: ["log.levl=info"]),
        Bad(
            text: "", error: "session.secret is a secret, and the command line is read by everybody",
            hint: "file:/run/secrets",
            options: ["session.secret=0123456789abcdef0123456789abcdef"]),
    ]

    @Test(arguments: table) func isRefusedWithAHint(_ bad: Bad) {
        let options = bad.options.map { text in
            let path = String(text.prefix { $0 != "=" })
            let name = SettingTable.all.first { $0.path == path }?.optionName ?? "--set"
            return (path: path, value: String(text.dropFirst(path.count + 1)), option: name)
        }
        do {
            let file = try SettingsFile(name: "vault.conf", text: bad.text)
            _ = try SettingsReader.read(file, environment: bad.environment, options: options)
            Issue.record("it was accepted")
        } catch {
            #expect(error.code == .settings)
            #expect(error.message.contains(bad.error), "\(error.message)")
            #expect(error.hint?.contains(bad.hint) == true, "\(error.hint ?? "no hint")")
            #expect(!error.description.contains("hunter2") && !error.description.contains("0123456789abcdef"))
        }
    }

    @Test func aSecretInTheFileIsAllowedOnLoopback() throws {
        let text = Self.platform + "client-secret = \"hunter2hunter2\""
        let settings = try SettingsReader.read(try SettingsFile(name: "vault.conf", text: text))
        #expect(settings.platforms[0][\.clientSecret] == .literal(Secret("hunter2hunter2")))
    }
}
