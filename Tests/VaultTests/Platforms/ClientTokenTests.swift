import FoundationEssentials
import Testing
import VaultBase
import VaultCrypto
import VaultProviders

@testable import Vault

/// The JWTs that say who we are. Both halves of the key were made by openssl, for this test alone.
@Suite struct ClientTokenTests {
    static let privateKey = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgyglhcO6IDo3VK2+7
        WX9moJt6yQZ8sZIP0yA8Vy/6PiihRANCAATocEvwQtYsuQKKsUJQ4PRCfmOdN6Fr
        oRzLTDv7juzrVxxEbjHkENla65WB9cWrpemc0p/CJuOFxKs6L0dIaWkM
        -----END PRIVATE KEY-----

        """
    static let publicKey = """
        -----BEGIN PUBLIC KEY-----
        MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE6HBL8ELWLLkCirFCUOD0Qn5jnTeh
        a6Ecy0w7+47s61ccRG4x5BDZWuuVgfXFq6XpnNKfwibjhcSrOi9HSGlpDA==
        -----END PUBLIC KEY-----

        """

    struct Header: Decodable, Equatable { var alg: String, kid: String, typ: String }
    struct Claims: Decodable, Equatable { var iss: String, iat: Int64, exp: Int64 }

    func key(lifetime: Int64 = 3600, secret: String = privateKey) throws -> ClientTokenKey {
        var description = ProviderDescription(id: "music", displayName: "Music", issuer: "https://music.example")
        description.flow = .browserToken
        description.clientToken = .init(keyID: "{user.key-id}", lifetime: lifetime)
        description.userParameters = ["key-id"]
        return try ClientTokenKey(
            Platform(
                name: World.first, provider: Provider(description: description), clientID: "TEAM \"1\"",
                clientSecret: Secret(secret), redirectURI: "https://app.example/", parameters: ["key-id": "KEY"]))
    }

    @Test func theTokenSaysWhoAndForHowLong() throws {
        let now = Timestamp(seconds: 1_800_000_000)
        let signed = try key().token(at: now)
        let parts = signed.token.reveal().split(separator: ".")
        #expect(parts.count == 3)
        func read<T: Decodable>(_ part: Substring) throws -> T {
            try JSONDecoder().decode(T.self, from: Data(try #require(Base64.decode(part))))
        }
        #expect(try read(parts[0]) == Header(alg: "ES256", kid: "KEY", typ: "JWT"))
        #expect(try read(parts[1]) == Claims(iss: "TEAM \"1\"", iat: now.seconds, exp: now.seconds + 3600))
        #expect(signed.expiresAt == now + .seconds(3600))
        let signature = try #require(Base64.decode(parts[2]))
        #expect(ES256.verifies(signature, of: "\(parts[0]).\(parts[1])".utf8, publicKey: Self.publicKey))
        #expect(!ES256.verifies(signature, of: "\(parts[0]).\(parts[0])".utf8, publicKey: Self.publicKey))
    }

    @Test func oneTokenIsHandedOutForHalfItsLife() throws {
        let key = try key()
        let now = Timestamp(seconds: 1_800_000_000)
        let first = try key.token(at: now)
        #expect(try key.token(at: now + .seconds(1799)) == first)
        let second = try key.token(at: now + .seconds(1800))
        #expect(second != first && second.expiresAt == now + .seconds(5400))
        // A clock set back: a token from the future would be refused.
        #expect(try key.token(at: now).expiresAt == now + .seconds(3600))
    }

    @Test(arguments: ["", "text", String(privateKey.dropLast(60))]) func whatIsNoKeyIsNamedAndNotQuoted(
        _ secret: String
    ) throws {
        let error = #expect(throws: VaultError.self) { try key(secret: secret) }
        #expect(error?.code == .settings)
        #expect(error?.message.contains("platforms.first.client-secret") == true)
        #expect(secret.isEmpty || error?.message.contains(secret) == false)
    }
}
