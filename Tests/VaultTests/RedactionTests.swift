import FoundationEssentials
import Testing
import VaultBase
import VaultCrypto
import VaultProviders
import VaultRecords

@testable import Vault

/// Every type that carries a secret, put through every way by which a value becomes text.
@Suite struct RedactionTests {
    /// What must not be seen: 32 bytes, so that it can be a key; also as digits and in hexadecimal, and as `dump` writes
    /// bytes. Several at a time, for a salt may hold any one of them. Without spaces, which are as deep as the value.
    private static let canary = "CANARYwxyz0123456789CANARYwxyz01"
    private static let traces = ["canary", "67,65,78,65", "43414e415259", "-67-65-78-65"]

    /// Every text that `value` can become without asking it for its secret.
    private static func texts(_ value: Any) -> [String] {
        var (printed, dumped, debugged) = ("", "", "")
        print(value, to: &printed)
        dump(value, to: &dumped)
        debugPrint(value, to: &debugged)
        let wrapped: [Any] = [[value], ["key": value], Optional(value) as Any, (value, 1)]
        return [printed, dumped, debugged, "\(value)", String(describing: value), String(reflecting: value)]
            + wrapped.map { "\($0)" } + wrapped.map { String(reflecting: $0) } + mirrored(Mirror(reflecting: value))
    }

    /// The leaves of the mirror, however deep.
    private static func mirrored(_ mirror: Mirror, _ depth: Int = 0) -> [String] {
        guard depth < 12 else { return [] }
        return mirror.children.flatMap { child in
            ["\(child.value)"] + mirrored(Mirror(reflecting: child.value), depth + 1)
        } + (mirror.superclassMirror.map { mirrored($0, depth + 1) } ?? [])
    }

    private static func json(_ value: some Encodable) throws -> String {
        String(decoding: try JSONEncoder().encode(value), as: UTF8.self)
    }

    private static func leaks(_ value: Any) -> [String] {
        texts(value).filter(isTraced)
    }

    private static func isTraced(_ text: String) -> Bool {
        let bare = text.lowercased().filter { !$0.isWhitespace }
        return traces.contains { bare.contains($0) }
    }

    private static func values() throws -> [Any] {
        let secret = Secret(canary)
        let key = try Array(canary.utf8).withUnsafeBytes { try GuardedKey(copying: $0) }
        let (user, platform) = (try UserID("ada"), try PlatformName("spotify"))
        let now = Timestamp(seconds: 1_800_000_000)
        let words = try NewKey(passphrase: secret, cost: .init(passes: 1, kibibytes: 8))
        let root = NewKey(rootKey: key)
        let connection = Connection(
            user: user, platform: platform, accessToken: secret, refreshToken: secret, scope: "read", createdAt: now,
            updatedAt: now, consentedAt: now, subject: "s", clientID: "c")
        let shown = ConnectionDocument(connection, reveal: true)
        let session = SessionDocument(user: "ada", session: canary, expiresAt: "")
        let service = ServiceKey(
            id: "00112233aabbccdd", name: "job", digest: [1], actions: [.write], platforms: [platform],
            createdAt: now, endsAt: nil)
        let made = ServiceDocument(service, token: secret)
        var order = BackupOrder(path: "/b", recipients: [RecipientDocument(.passphrase(root))])
        order.isIncrement = true
        let record = SessionRecord(id: "s", user: user, createdAt: now, endsAt: now)
        let adapter = Platform(
            name: platform, provider: Provider(description: World.description(World.first)), clientID: "c",
            clientSecret: secret, redirectURI: "https://vault.example/cb")
        let options = VaultOptions(
            frontendURL: "https://app.example", sessionIssuer: "https://vault.example", sessionKeys: [("k", secret)])
        var grant = TokenGrant(accessToken: secret)
        grant.refreshToken = secret
        grant.idToken = canary
        let commands: [AdministrativeCommand] = [
            .put(shown), .import([shown], silent: true), .restoreConnections([shown], overwrite: true), .backup(order),
            .addKey(NewKeyDocument(root)), .replaceKey(id: "1", with: NewKeyDocument(root)),
        ]
        let events: [AdministrativeEvent] = [.connection(shown), .session(session), .service(made)]
        let keys: [Any] = [
            secret, key, root, words, UnlockKey.key(key), UnlockKey.passphrase(secret),
            SigningKey(from: secret, for: "x"),
            try SigningKey(seed: secret), MACKey(secret), BackupRecipient.passphrase(root), BackupUnlock.key(key),
            BackupUnlock.vault(.passphrase(secret)), SessionKey.both(of: secret, id: "k"),
        ]
        let records: [Any] = [
            connection,
            PendingRevocation(
                user: user, platform: platform, subject: "s", accessToken: secret, refreshToken: secret, attempts: 0,
                nextAt: now, endsAt: now),
            LoginRecord(
                state: "s", platform: platform, binding: [1], verifier: secret, nonce: "n", issuer: "i",
                tokenEndpoint: "t", clientID: "c", redirectURI: "r", user: user, scope: "x", returnTo: "/",
                createdAt: now, endsAt: now, progress: .pending),
            IssuedSession(record: record, token: secret),
            AccessToken(accessToken: secret, tokenType: "Bearer", expiresAt: nil, scope: ""),
            ClientToken(token: secret, expiresAt: now), adapter, options, grant,
            HookContext(now: now, scope: "", clientID: "c", clientSecret: secret),
            ProviderRequest(
                method: "POST", url: "https://x.example/?code=\(canary)", headers: [("authorization", canary)],
                body: Array(canary.utf8)),
            ProviderAnswer(status: 200, headers: [("set-cookie", canary)], body: Array(canary.utf8)),
        ]
        let documents: [Any] = [
            shown, session, made, NewKeyDocument(root), RecipientDocument(.passphrase(root)), order,
        ]
        return keys + records + documents + commands + events
    }

    @Test func noSecretBecomesText() throws {
        let values = try Self.values()
        #expect(values.count > 35)
        for value in values { #expect(Self.leaks(value) == [], "\(type(of: value))") }
    }

    /// A type like those, without the means they have.
    private struct Careless {
        var token = RedactionTests.canary
        var bytes = Array(RedactionTests.canary.utf8)
    }

    @Test func thisTestWouldNoticeATypeWithoutThem() {
        let (careless, texts) = (Careless(), Self.texts(Careless()))
        // All but the single bytes, the leaves of the mirror.
        #expect(Self.leaks(careless).count == texts.count - careless.bytes.count)
    }

    /// Documents that say something of a connection or a key, and are not meant to carry it.
    @Test func whatIsEncodedWithoutItHoldsNone() throws {
        let values = try Self.values()
        let connection = try #require(values.compactMap { $0 as? Connection }.first)
        let service = ServiceKey(
            id: "00112233aabbccdd", name: "job", digest: Array(Self.canary.utf8), actions: [.write], platforms: nil,
            createdAt: Timestamp(seconds: 1), endsAt: nil)
        for text in [
            try Self.json(ConnectionDocument(connection, reveal: false)),
            try Self.json(ServiceDocument(service)),
        ] {
            #expect(!Self.isTraced(text))
        }
        #expect(try Self.json(ConnectionDocument(connection, reveal: true)).contains("CANARY"))
    }

    /// Whoever writes a secret wrong is told so, without it.
    @Test func noErrorRepeatsWhatWasWrittenWrong() {
        let long = Secret(Self.canary + "!")
        let wrong: [() throws -> Void] = [
            { _ = try BackupSecretKey(Secret("backup-secret:" + Self.canary)) },
            { _ = try BackupPublicKey("public:" + Self.canary) },
            { _ = try RecoveryKey(long) },
            { _ = try Array(long.reveal().utf8).withUnsafeBytes { try GuardedKey(text: $0) } },
            { _ = try Array(long.reveal().utf8).withUnsafeBytes { try GuardedKey(copying: $0) } },
            { _ = try SigningKey(seed: long) },
            { _ = try ES256(pem: long) },
            { _ = try NewKey(passphrase: Secret("CANARY")) },
            {
                _ = try Webhook(
                    name: "x", url: "https://r.example", secret: long, kinds: [], allowsPrivateNetwork: false)
            },
        ]
        for (number, body) in wrong.enumerated() {
            do {
                try body()
                Issue.record("number \(number) was taken")
            } catch { #expect(Self.leaks(error) == [], "number \(number)") }
        }
    }
}
