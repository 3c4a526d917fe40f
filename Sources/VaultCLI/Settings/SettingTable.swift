import Vault
import VaultBase
import VaultProviders

// Every setting there is. The file, the environment, the command line, vault.conf's test and the page of
// settings all read this table; a setting that is not here does not exist.

/// The literal of a text that is not set.
private let unset = "\"\""

/// The settings outside `[platforms]`.
struct SettingTable: Sendable {
    static let shared = SettingTable()
    /// In the order of vault.conf.
    static let all: [any AnySetting] = Mirror(reflecting: shared).children.compactMap { $0.value as? any AnySetting }

    let listen = Setting(
        "listen", .listen, default: #""127.0.0.1:8000""#,
        "where the frontend reaches the vault; other than loopback needs [tls] or trusted-proxies")
    let admin = Setting(
        "admin", .listen, default: #""127.0.0.1:8001""#, "metrics and health; loopback only, port 0 for any")
    let publicURL = Setting(
        "public-url", .address, default: unset, "the vault's own address as browsers see it; empty: http://<listen>")
    let trustedProxies = Setting(
        "trusted-proxies", .list, default: "[]", "addresses or networks whose X-Forwarded-For or Forwarded counts")

    let certificates = Setting("tls.certificates", .path, default: unset, "PEM file with the certificate chain")
    let certificateKey = Setting("tls.key", .path, default: unset, "PEM file with its private key")
    let redirect =
        Setting(
            "tls.redirect", .listenOrNot, default: unset,
            "where plain http is answered with a redirect to public-url, like 0.0.0.0:80")
        as Setting<ListenAddress?>
    let strictTransportSecurity = Setting(
        "tls.hsts", .time(.zero...Duration.seconds(2 * 366 * 86_400)), default: #""365d""#,
        "how long browsers keep to https by themselves; 0s for not telling them")

    let connectionLimit = Setting(
        "limits.connections", .number(16...1_000_000), default: "4096", "connections at the same time")
    let addressLimit = Setting(
        "limits.connections-per-address", .number(1...1_000_000), default: "256",
        "of one client address; trusted proxies and, without TLS, this machine are not counted")
    let headTime = Setting(
        "limits.head-time", .time(.milliseconds(100)...Duration.seconds(600)), default: #""10s""#,
        "how long a TLS handshake, or a request's header fields, may take")
    let bodyTime = Setting(
        "limits.body-time", .time(.milliseconds(100)...Duration.seconds(600)), default: #""30s""#,
        "how long a request's body may take, and how long a client may take nothing of an answer")
    let idleTime = Setting(
        "limits.idle-time", .time(.milliseconds(100)...Duration.seconds(3600)), default: #""60s""#,
        "how long a connection may do nothing between requests")

    let frontendURL = Setting(
        "frontend.url", .address, default: unset, "where a finished login returns to; empty: the vault's own address")
    let returnTo = Setting(
        "frontend.return-to", .list, default: #"["/"]"#, "paths or addresses that returnTo may name, exactly")
    let origins = Setting(
        "frontend.origins", .list, default: "[]", "origins allowed by CORS besides the frontend's own, exactly")
    let demo = Setting("frontend.demo", .flag, default: "false", "serve the demo page at /")

    let backend = Setting("store.backend", .choice, default: #""lmdb""#, "how records are kept") as Setting<Backend>
    let storePath = Setting("store.path", .path, default: #""~/.local/share/vault""#, "the store's directory")
    let quota = Setting(
        "store.quota", .size(atLeast: 1 << 20), default: #""8GiB""#,
        "the most the records may take; reads go on when full, and at 95 % nothing new is taken")

    let keySource = Setting(
        "key.source", .text, default: #""file:~/.local/share/vault.key""#,
        "what unlocks it: file:PATH (0400), credential:NAME, command:…, env:NAME, passphrase or recovery:")

    let backupDirectory = Setting(
        "backup.directory", .path, default: unset, "where the server keeps backups it makes; empty: it makes none")
    let backupEvery = Setting(
        "backup.every", .time(.seconds(60)...Duration.seconds(366 * 86_400)), default: #""24h""#,
        "how often it makes a full one")
    let backupIncrements = Setting(
        "backup.increments", .timeOrNever(atLeast: .seconds(60)), default: #""never""#,
        "how often it makes an increment between them")
    let backupKeep = Setting(
        "backup.keep", .number(1...10_000), default: "7", "how many full ones stay, each with its increments")
    let backupRecipients = Setting(
        "backup.recipients", .list, default: #"["vault"]"#,
        "who can open backups: vault, public:… or passphrase:file:PATH")

    let plugins = Setting(
        "plugins.path", .path, default: #""/usr/lib/vault/plugins""#, "the folder of provider plugins")
    let isolation =
        Setting(
            "plugins.isolation", .choice, default: #""process""#,
            "process: each plugin in a locked-down child; in-process: trusted like this program") as Setting<Isolation>
    let pins = Setting(
        "plugins.pins", .list, default: "[]", "plugins that must be these bytes: \"spotify.so=<sha256 in hex>\"")

    let sessionLifetime = Setting(
        "session.lifetime", .time(.seconds(60)...Duration.seconds(366 * 86_400)), default: #""12h""#,
        "how long a session lasts")
    let delivery =
        Setting(
            "session.delivery", .choice, default: #""fragment""#,
            "how a finished login hands it over: fragment, cookie or code") as Setting<SessionDelivery>
    let audience = Setting("session.audience", .text, default: #""vault""#, "the JWT's aud")
    let sessionAlgorithm =
        Setting(
            "session.algorithm", .choice, default: #""HS256""#,
            "HS256, or EdDSA: then everybody can verify sessions, with /.well-known/jwks.json")
        as Setting<SessionAlgorithm>
    let sessionSecret = Setting(
        "session.secret", .secret, default: unset,
        "what signs the JWT, 32 bytes at least; empty: made at first start, beside the key")
    let previousSecrets = Setting(
        "session.previous-secrets", .list, default: "[]", "secrets that still verify, so that rotation logs nobody out")
    let renewalLimit = Setting(
        "session.per-minute", .number(1...100_000), default: "20", "renewals per minute and user")

    let loginLifetime = Setting(
        "login.lifetime", .time(.seconds(30)...Duration.seconds(3600)), default: #""10m""#,
        "how long a browser has from login to callback")
    let loginLimit = Setting(
        "login.per-minute", .number(1...100_000), default: "10", "logins begun per minute and address")
    let callbackLimit = Setting(
        "login.callbacks-per-minute", .number(1...100_000), default: "60",
        "browsers sent back by providers, and exchanges for a session, per minute and address")

    let refreshMargin = Setting(
        "refresh.margin", .time(.zero...Duration.seconds(3600)), default: #""60s""#,
        "how long before it ends an access token counts as about to expire")
    let refreshAhead = Setting("refresh.ahead", .flag, default: "false", "refresh before anybody asks")
    let warnBefore = Setting(
        "refresh.warn-before", .time(.seconds(3600)...Duration.seconds(366 * 86_400)), default: #""14d""#,
        "how long before a grant ends its user is warned; half its life at most")
    let refreshLimit = Setting(
        "refresh.per-minute", .number(1...100_000), default: "20", "forced refreshes per minute and user")
    let providerTimeout = Setting(
        "refresh.timeout", .time(.seconds(1)...Duration.seconds(120)), default: #""15s""#,
        "how long one call to a provider may take")

    let recordLifetime = Setting(
        "records.lifetime", .timeOrNever(atLeast: .seconds(60)), default: #""never""#,
        "the longest life of a connection, on top of the provider's own limits")
    let sweepInterval = Setting(
        "records.sweep-interval", .time(.seconds(1)...Duration.seconds(86_400)), default: #""60s""#,
        "how often ended records are looked for")
    let sweepGrace = Setting(
        "records.sweep-grace", .time(.zero...Duration.seconds(366 * 86_400)), default: #""24h""#,
        "how long an ended connection stays on disk before it is removed; it is never returned")

    let serviceLimit = Setting(
        "service.per-minute", .number(1...1_000_000), default: "600", "requests per minute and service key")

    let eventPatience = Setting(
        "events.give-up-after", .time(.seconds(60)...Duration.seconds(30 * 86_400)), default: #""3d""#,
        "how long telling a webhook is tried before the event is dead")
    let eventKeep = Setting(
        "events.keep", .time(.seconds(3600)...Duration.seconds(366 * 86_400)), default: #""30d""#,
        "how long an event can be listed and told again")
    let eventLimit = Setting(
        "events.limit", .number(100...10_000_000), default: "100000",
        "the most events there may be; the oldest make room")

    let sandboxPort = Setting(
        "sandbox.port", .number(0...65_535), default: "8002", "the sandbox provider's loopback port, 0 for any")

    let logLevel =
        Setting("log.level", .choice, default: #""info""#, "trace, debug, info, notice, warning, error or critical")
        as Setting<LogLevel>
    let logFormat =
        Setting("log.format", .choice, default: #""auto""#, "json, text, or auto: text on a terminal")
        as Setting<LogFormat>
}

/// The settings of one `[platforms.NAME]`, besides what its provider asks for by name.
struct PlatformTable: Sendable {
    static let shared = PlatformTable()
    static let all: [any AnySetting] = Mirror(reflecting: shared).children.compactMap { $0.value as? any AnySetting }

    let provider = Setting("provider", .text, default: unset, "the plugin's provider; empty: the platform's own name")
    let displayName = Setting("display-name", .text, default: unset, "what people read; empty: the provider's name")
    let clientID = Setting("client-id", .text, default: unset, "our registration at the provider")
    let clientSecret = Setting(
        "client-secret", .secret, default: unset, "its secret: file:, env:, command:, credential:")
    let redirectURI = Setting(
        "redirect-uri", .address, default: unset, "as registered; empty: <public-url>/auth/<name>/callback")
    let scopes = Setting("scopes", .list, default: "[]", "what to ask for; empty: what the provider suggests")
    let isolation = Setting(
        "isolation", .choiceOrNone, default: unset, "where its plugin runs; empty: as plugins.isolation says")
    let insecureLoopback = Setting(
        "insecure-loopback", .flag, default: "false", "allow plain http, to a provider on this machine only")
    let allowPrivateNetwork = Setting(
        "allow-private-network", .flag, default: "false", "allow a provider at a private address, in one's own network")
}

/// The settings of one `[webhooks.NAME]`.
struct WebhookTable: Sendable {
    static let shared = WebhookTable()
    static let all: [any AnySetting] = Mirror(reflecting: shared).children.compactMap { $0.value as? any AnySetting }

    let url = Setting("url", .text, default: unset, "where events are posted: https, or http on this machine")
    let secret = Setting("secret", .secret, default: unset, "what they are signed with: whsec_ and base64, pointed at")
    let events = Setting("events", .list, default: "[]", "the events it gets; empty: all")
    let allowPrivateNetwork = Setting(
        "allow-private-network", .flag, default: "false", "allow a private address, in one's own network")
}

/// How records are kept.
enum Backend: String, CaseIterable, Sendable { case lmdb }
