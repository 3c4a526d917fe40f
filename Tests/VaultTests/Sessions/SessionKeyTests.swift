import Testing
import VaultBase
import VaultCrypto

@testable import Vault

/// EdDSA sessions, and the two algorithms beside each other. PyJWT looks at them from outside in
/// `EndToEndTests/Scenarios/sessions_test.py`.
@Suite struct SessionKeyTests {
    private static let secret = Secret("0123456789abcdef0123456789abcdef")
    private let user: UserID
    init() throws { user = try UserID("alice") }

    private func header(of token: Secret) throws -> String {
        let first = try #require(token.reveal().split(separator: ".").first)
        return String(decoding: try #require(Base64.decode(first)), as: UTF8.self)
    }

    @Test func aTokenNamesItsAlgorithmAndItsPublishedKey() async throws {
        let world = try await World(options: { $0.sessionAlgorithm = .edDSA })
        let session = try await world.vault.issueSession(for: user)
        #expect(try world.vault.session(session.token) == session.record)
        let published = try #require(world.vault.publishedSessionKeys.first)
        #expect(world.vault.publishedSessionKeys.count == 1)
        #expect(
            try header(of: session.token)
                == "{\"alg\":\"EdDSA\",\"typ\":\"vault-session+jwt\",\"kid\":\"\(published.id)\"}")
        #expect(Base64.decode(published.x)?.count == 32)
    }

    /// RFC 8037 appendix A.3.
    @Test func theThumbprintIsTheRFCs() throws {
        let key = try #require(Base64.decode("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"))
        #expect(SessionKey.thumbprint(of: key) == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k")
    }

    @Test func withHS256NothingIsPublished() async throws {
        #expect(try await World().vault.publishedSessionKeys.isEmpty)
    }

    @Test(arguments: [(SessionAlgorithm.hs256, SessionAlgorithm.edDSA), (.edDSA, .hs256)])
    func anotherAlgorithmLogsNobodyOut(_ before: SessionAlgorithm, _ after: SessionAlgorithm) async throws {
        let world = try await World(options: { $0.sessionAlgorithm = before })
        let old = try await world.vault.issueSession(for: user)
        let changed = try world.restarted(options: { $0.sessionAlgorithm = after })
        #expect(try changed.session(old.token) == old.record)
        let new = try await changed.issueSession(for: user)
        #expect(try header(of: new.token).contains("\"\(after.rawValue)\""))
        #expect(try changed.session(new.token) == new.record)
    }

    @Test func anotherSecretLogsNobodyOutUntilTheOldOneIsGone() async throws {
        let world = try await World(options: { $0.sessionAlgorithm = .edDSA })
        let old = try await world.vault.issueSession(for: user)
        let key = Secret("ffffffffffffffffffffffffffffffff")
        let rotated = try world.restarted(options: { $0.sessionKeys.insert(("k2", key), at: 0) })
        #expect(try rotated.session(old.token) == old.record)
        #expect(rotated.publishedSessionKeys.count == 2)
        let new = try await rotated.issueSession(for: user)
        #expect(try header(of: new.token).contains(rotated.publishedSessionKeys[0].id))
        let later = try world.restarted(options: { $0.sessionKeys = [("k2", key)] })
        #expect(await code { try later.session(old.token) } == .unauthorized)
        #expect(try later.session(new.token) == new.record)
    }

    @Test(arguments: [
        "none", "HS256 with the public key", "HS256 with its text", "HS256 under the other name",
        "EdDSA under HS256's name", "another pair", "altered payload", "altered signature", "no signature",
        "padded signature", "signature in the other alphabet", "second spelling", "HS256's signature",
    ])
    func aForgeryIsRefused(_ kind: String) async throws {
        let world = try await World(options: {
            $0.sessionAlgorithm = .edDSA
            $0.sessionKeys = [("k1", Self.secret)]
        })
        let session = try await world.vault.issueSession(for: user)
        let published = world.vault.publishedSessionKeys[0]
        let parts = session.token.reveal().split(separator: ".").map(String.init)
        let claims = String(decoding: try #require(Base64.decode(parts[1])), as: UTF8.self)
        func named(_ algorithm: String, _ id: String) -> String {
            "{\"alg\":\"\(algorithm)\",\"typ\":\"vault-session+jwt\",\"kid\":\"\(id)\"}"
        }
        func hs256(_ key: Secret, _ id: String) -> Secret { SessionTests.sign(named("HS256", id), claims, key) }
        func edDSA(_ pair: SigningKey, _ id: String) -> Secret {
            let text = "\(Base64.encodeURL(named("EdDSA", id).utf8)).\(parts[1])"
            return Secret("\(text).\(Base64.encodeURL(pair.signature(of: Array(text.utf8))))")
        }
        let pair = SigningKey(from: Self.secret, for: "vault session Ed25519 v1")
        // The forger's tools are right: with the right key they make what is accepted.
        #expect(try world.vault.session(edDSA(pair, published.id)) == session.record)
        #expect(try world.vault.session(hs256(Self.secret, "k1")) == session.record)
        let token: Secret
        switch kind {
        case "none": token = Secret("\(Base64.encodeURL(named("none", published.id).utf8)).\(parts[1]).")
        case "HS256 with the public key": token = hs256(Secret(bytes: pair.publicKey), published.id)
        case "HS256 with its text": token = hs256(Secret(published.x), published.id)
        case "HS256 under the other name": token = hs256(Self.secret, published.id)
        case "EdDSA under HS256's name": token = edDSA(pair, "k1")
        case "another pair": token = edDSA(SigningKey(from: Self.secret, for: "another"), published.id)
        case "altered payload":
            let altered = claims.replacing("alice", with: "bobby")
            token = Secret("\(parts[0]).\(Base64.encodeURL(altered.utf8)).\(parts[2])")
        case "altered signature":
            token = Secret("\(parts[0]).\(parts[1]).\(parts[2].first == "A" ? "B" : "A")\(parts[2].dropFirst())")
        case "no signature": token = Secret("\(parts[0]).\(parts[1]).")
        case "padded signature": token = Secret(session.token.reveal() + "==")
        case "signature in the other alphabet":
            token = Secret(
                "\(parts[0]).\(parts[1]).\(parts[2].replacing("-", with: "+").replacing("_", with: "/"))+")
        case "second spelling":
            // 64 bytes leave four bits of the last character over.
            token = Secret("\(parts[0]).\(parts[1]).\(parts[2].dropLast())\(parts[2].last == "B" ? "C" : "B")")
        case "HS256's signature":
            let text = "\(parts[0]).\(parts[1])"
            token = Secret("\(text).\(Base64.encodeURL(Digest.hmacSHA256(text.utf8, key: Self.secret)))")
        default: throw Unexpected(kind)
        }
        #expect(await code { try world.vault.session(token) } == .unauthorized)
    }
}
