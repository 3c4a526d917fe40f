import Logging
import MetricsTestKit
import VaultBase
import VaultCrypto
import VaultProviders
import VaultRecords
import VaultStore

@testable import Vault

/// A vault over a memory store, with a fake provider under three platform names and a clock moved by hand.
final class World: Sendable {
    static let first = name("first")
    static let second = name("second")
    /// Without revocation, PKCE or refresh rules of note, found by metadata.
    static let found = name("found")

    private static func name(_ text: String) -> PlatformName {
        guard let name = try? PlatformName(text) else { preconditionFailure("\(text) is no platform name") }
        return name
    }

    let clock = HandClock()
    let provider = FakeProvider()
    let store: FragileStore
    let records: Records
    let key: GuardedKey
    let options: VaultOptions
    let logs = LogBook()
    let metrics = TestMetrics()
    let vault: Vault
    let directory: PlatformDirectory

    init(
        quota: Int = 1 << 30,
        options change: (inout VaultOptions) -> Void = { _ in },
        description describe: (inout ProviderDescription) -> Void = { _ in }
    ) async throws {
        var options = VaultOptions(
            frontendURL: "https://app.example", sessionIssuer: "https://vault.example",
            sessionKeys: [("k1", Secret("0123456789abcdef0123456789abcdef"))])
        options.returnTo = ["/", "/done"]
        options.providerTimeout = .seconds(30)
        change(&options)
        self.options = options
        key = try GuardedKey.generate()
        store = FragileStore(quota: quota)
        records = try await Records.create(in: store, rootKey: key, clock: clock)
        directory = PlatformDirectory(
            [Self.first, Self.second, Self.found].map { name in
                var description = Self.description(name)
                describe(&description)
                let platform = Platform(
                    name: name, provider: Provider(description: description), clientID: "client",
                    clientSecret: Secret("client-secret"),
                    redirectURI: "https://vault.example/auth/\(name)/callback")
                return PlatformDirectory.Entry(
                    name: name, displayName: name.rawValue, platform: platform, fault: nil)
            })
        vault = Vault(
            records: records, platforms: directory, transport: provider, options: options, logger: logs.logger,
            metrics: metrics)
    }

    static func description(_ name: PlatformName) -> ProviderDescription {
        var description = ProviderDescription(
            id: "fake", displayName: "Fake",
            issuer: name == found ? "https://provider.example" : "https://\(name).example")
        description.scopes = ["read", "write"]
        description.refresh = .singleUse
        description.displayNamePath = ["name"]
        if name == found {
            description.discovery = .rfc8414
            description.accountID = .minted
            return description
        }
        description.endpoints.authorize = "https://\(name).example/authorize"
        description.endpoints.token = "https://\(name).example/token"
        description.endpoints.profile = "https://\(name).example/profile"
        description.endpoints.revoke = "https://\(name).example/revoke"
        return description
    }

    /// Another process on the same records: nothing is remembered but what was stored.
    func restarted(
        platforms: PlatformDirectory? = nil, webhooks: (any WebhookTransport)? = nil,
        options change: (inout VaultOptions) -> Void = { _ in }
    ) throws -> Vault {
        var options = options
        change(&options)
        return Vault(
            records: try Records.open(store, rootKey: key, clock: clock), platforms: platforms ?? directory,
            transport: provider, options: options, logger: logs.logger, webhooks: webhooks)
    }

    // MARK: Logging in

    struct Login: Sendable {
        var platform: PlatformName
        var start: LoginStart
        var state: String
        var parameters: [(name: String, value: String)]
    }

    /// Begins a login and consents as `subject`; the callback is not delivered yet.
    func begin(
        _ subject: String, at platform: PlatformName = World.first, linking user: UserID? = nil,
        binding: Secret? = nil, vault: Vault? = nil
    ) async throws -> Login {
        let start = try await (vault ?? self.vault).beginLogin(
            at: platform, linking: user, returnTo: "/done", scopes: nil, binding: binding)
        let state = Self.query(start.authorizationURL)["state"] ?? ""
        let code = provider.consent(subject)
        return Login(
            platform: platform, start: start, state: state,
            parameters: [("code", code), ("state", state)])
    }

    func complete(_ login: Login, vault: Vault? = nil) async throws -> LoginEnd {
        try await (vault ?? self.vault).completeLogin(
            at: login.platform, parameters: login.parameters, binding: login.start.binding)
    }

    /// The whole login; the session.
    @discardableResult
    func logIn(
        _ subject: String, at platform: PlatformName = World.first, linking user: UserID? = nil
    ) async throws -> IssuedSession {
        let end = try await complete(try await begin(subject, at: platform, linking: user))
        guard case .connected(let session, _) = end else { throw Unexpected("\(end)") }
        return session
    }

    /// What a counter has counted.
    func count(_ label: String, _ dimensions: (String, String)...) -> Int64 {
        (try? metrics.expectCounter(label, dimensions))?.totalValue ?? 0
    }

    func connection(_ user: UserID, _ platform: PlatformName = World.first) throws -> Connection {
        guard let connection = try records.read({ try $0.connection(user, platform) }) else {
            throw Unexpected("there is no connection")
        }
        return connection
    }

    func update(_ user: UserID, _ change: @escaping @Sendable (inout Connection) -> Void) async throws {
        try await records.write { transaction in
            guard var connection = try transaction.connection(user, World.first) else { return }
            change(&connection)
            try transaction.put(connection, expecting: nil)
        }
    }

    /// Turns a bit of every value that there is in `table`.
    func damageAll(in table: Table = .records) async throws {
        try await store.write { transaction in
            var rows: [([UInt8], [UInt8])] = []
            try transaction.scan(table, from: RawSpan()) { key, value in
                rows.append((key.withUnsafeBytes { Array($0) }, value.withUnsafeBytes { Array($0) }))
                return true
            }
            for (key, var value) in rows {
                value[value.count - 1] ^= 1
                try transaction.put(value.span.bytes, for: key.span.bytes, in: table)
            }
        }
    }

    static func query(_ url: String) -> [String: String] {
        var request = ProviderRequest(method: "GET", url: "")
        request.body = Array((url.split(separator: "?", maxSplits: 1).last ?? "").utf8)
        return FakeProvider.form(request)
    }
}

struct Unexpected: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// The code of the `VaultError` that `body` throws; nil when it throws none.
func code<R>(of body: () async throws -> R) async -> VaultError.Code? {
    do {
        _ = try await body()
        return nil
    } catch {
        return (error as? VaultError)?.code ?? VaultError.Code("unknown: \(error)")
    }
}
