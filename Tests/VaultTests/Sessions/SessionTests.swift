import Testing
import VaultBase
import VaultCrypto
import VaultRecords

@testable import Vault

@Suite struct SessionTests {
    let user: UserID
    init() throws { user = try UserID("she said \"héllo\" \\ /") }

    @Test func anIssuedTokenProvesItsSession() async throws {
        let world = try await World()
        let session = try await world.vault.issueSession(for: user)
        #expect(try world.vault.session(session.token) == session.record)
        #expect(session.record.endsAt == HandClock.start + .seconds(12 * 3600))
        let parts = session.token.reveal().split(separator: ".")
        let header = try #require(Base64.decode(parts[0]))
        #expect(
            String(decoding: header, as: UTF8.self)
                == "{\"alg\":\"HS256\",\"typ\":\"vault-session+jwt\",\"kid\":\"k1\"}")
    }

    @Test func aSessionEndsInItsTime() async throws {
        let world = try await World()
        let session = try await world.vault.issueSession(for: user)
        world.clock.advance(.seconds(12 * 3600 - 1))
        _ = try world.vault.session(session.token)
        world.clock.advance(.seconds(1))
        #expect(await code { try world.vault.session(session.token) } == .unauthorized)
    }

    @Test func aRevokedSessionIsWorthNothing() async throws {
        let world = try await World()
        let session = try await world.vault.issueSession(for: user)
        let other = try await world.vault.issueSession(for: user)
        try await world.vault.revoke(session.record)
        #expect(await code { try world.vault.session(session.token) } == .unauthorized)
        _ = try world.vault.session(other.token)
    }

    @Test func renewingEndsTheOldSession() async throws {
        let world = try await World()
        let old = try await world.vault.issueSession(for: user)
        world.clock.advance(.seconds(3600))
        let new = try await world.vault.renew(old.record)
        #expect(try world.vault.session(new.token).user == user)
        #expect(new.record.endsAt == HandClock.start + .seconds(13 * 3600))
        #expect(await code { try world.vault.session(old.token) } == .unauthorized)
        #expect(world.vault.tokenAtHand(old.token, at: World.first) == nil)
    }

    @Test func rotatingKeysLogsNobodyOut() async throws {
        let world = try await World()
        let old = try await world.vault.issueSession(for: user)
        let key = Secret("ffffffffffffffffffffffffffffffff")
        let rotated = try world.restarted(options: { $0.sessionKeys.insert(("k2", key), at: 0) })
        #expect(try rotated.session(old.token) == old.record)
        let new = try await rotated.issueSession(for: user)
        #expect(try rotated.session(new.token) == new.record)
        // Once the old key is gone, what it signed is gone too.
        let later = try world.restarted(options: { $0.sessionKeys = [("k2", key)] })
        #expect(await code { try later.session(old.token) } == .unauthorized)
        // A key signs under its own name only.
        let swapped = try world.restarted(options: { $0.sessionKeys = [("k1", key)] })
        #expect(await code { try swapped.session(new.token) } == .unauthorized)
    }

    @Test func aShortKeySignsNothing() async throws {
        let world = try await World(options: { $0.sessionKeys = [("k1", Secret("short"))] })
        #expect(await code { try await world.vault.issueSession(for: self.user) } == .settings)
        // HS256 with an empty key would be no signature at all.
        let forged = Self.sign(
            "{\"alg\":\"HS256\",\"typ\":\"vault-session+jwt\",\"kid\":\"k1\"}", "{}", Secret("short"))
        #expect(await code { try world.vault.session(forged) } == .unauthorized)
    }

    static let key = Secret("0123456789abcdef0123456789abcdef")
    static let header = "{\"alg\":\"HS256\",\"typ\":\"vault-session+jwt\",\"kid\":\"k1\"}"

    static func sign(_ header: String, _ payload: String, _ key: Secret = key) -> Secret {
        let text = "\(Base64.encodeURL(header.utf8)).\(Base64.encodeURL(payload.utf8))"
        return Secret("\(text).\(Base64.encodeURL(Digest.hmacSHA256(text.utf8, key: key)))")
    }

    /// Each of these is well signed with the right key unless it says otherwise, and wrong in one thing.
    @Test(arguments: [
        "alg none", "alg none unsigned", "alg HS512", "typ JWT", "no typ", "no kid", "unknown kid", "header reordered",
        "wrong key", "wrong issuer", "wrong audience", "no audience", "audience list", "ended", "from the future",
        "no exp", "exp as text", "unknown session", "another user", "duplicate sub", "trailing data", "not an object",
        "empty", "two parts", "four parts", "padded signature", "signature in the other alphabet", "altered payload",
        "truncated signature", "long",
    ])
    func aForgeryIsRefusedWithoutAReason(kind: String) async throws {
        let world = try await World()
        let session = try await world.vault.issueSession(for: try UserID("alice"))
        let good = Claims(
            issuer: "https://vault.example", audience: "vault", subject: "alice",
            issuedAt: HandClock.start.seconds, expiresAt: HandClock.start.seconds + 3600, id: session.record.id)
        #expect(try world.vault.session(Self.sign(Self.header, good.json)) == session.record)
        func with(_ change: (inout Claims) -> Void) -> Secret {
            var claims = good
            change(&claims)
            return Self.sign(Self.header, claims.json)
        }
        let text = Self.sign(Self.header, good.json).reveal()
        let parts = text.split(separator: ".").map(String.init)
        let token: Secret
        switch kind {
        case "alg none": token = Self.sign("{\"alg\":\"none\",\"typ\":\"vault-session+jwt\",\"kid\":\"k1\"}", good.json)
        case "alg none unsigned":
            token = Secret("\(Base64.encodeURL("{\"alg\":\"none\"}".utf8)).\(parts[1]).")
        case "alg HS512":
            token = Self.sign("{\"alg\":\"HS512\",\"typ\":\"vault-session+jwt\",\"kid\":\"k1\"}", good.json)
        case "typ JWT": token = Self.sign("{\"alg\":\"HS256\",\"typ\":\"JWT\",\"kid\":\"k1\"}", good.json)
        case "no typ": token = Self.sign("{\"alg\":\"HS256\",\"kid\":\"k1\"}", good.json)
        case "no kid": token = Self.sign("{\"alg\":\"HS256\",\"typ\":\"vault-session+jwt\"}", good.json)
        case "unknown kid":
            token = Self.sign("{\"alg\":\"HS256\",\"typ\":\"vault-session+jwt\",\"kid\":\"k2\"}", good.json)
        case "header reordered":
            token = Self.sign("{\"typ\":\"vault-session+jwt\",\"alg\":\"HS256\",\"kid\":\"k1\"}", good.json)
        case "wrong key": token = Self.sign(Self.header, good.json, Secret("1123456789abcdef0123456789abcdef"))
        case "wrong issuer": token = with { $0.issuer += "/" }
        case "wrong audience": token = with { $0.audience = "other" }
        case "no audience":
            token = Self.sign(Self.header, good.json.replacing("\"aud\":\"vault\",", with: ""))
        case "audience list":
            token = Self.sign(Self.header, good.json.replacing("\"vault\"", with: "[\"vault\"]"))
        case "ended": token = with { $0.expiresAt = HandClock.start.seconds }
        case "from the future": token = with { $0.issuedAt += 61 }
        case "no exp": token = Self.sign(Self.header, good.json.replacing("\"exp\"", with: "\"nbf\""))
        case "exp as text":
            token = Self.sign(
                Self.header, good.json.replacing("\"exp\":\(good.expiresAt)", with: "\"exp\":\"\(good.expiresAt)\""))
        case "unknown session": token = with { $0.id = Random.token(bytes: 16) }
        case "another user": token = with { $0.subject = "bob" }
        case "duplicate sub":
            token = Self.sign(Self.header, good.json.replacing("{", with: "{\"sub\":\"bob\","))
        case "trailing data": token = Self.sign(Self.header, good.json + "{}")
        case "not an object": token = Self.sign(Self.header, "[]")
        case "empty": token = Secret("")
        case "two parts": token = Secret("\(parts[0]).\(parts[1])")
        case "four parts": token = Secret("\(text).x")
        case "padded signature": token = Secret(text + "=")
        case "signature in the other alphabet":
            token = Secret(
                "\(parts[0]).\(parts[1]).\(parts[2].replacing("-", with: "+").replacing("_", with: "/"))+")
        case "altered payload":
            token = Secret("\(parts[0]).\(Base64.encodeURL("{}".utf8)).\(parts[2])")
        case "truncated signature": token = Secret(String(text.dropLast(4)))
        case "long": token = Secret("\(parts[0]).\(String(repeating: "a", count: 5000)).\(parts[2])")
        default: throw Unexpected(kind)
        }
        do {
            _ = try world.vault.session(token)
            Issue.record("accepted")
        } catch let error as VaultError {
            #expect(error.code == .unauthorized)
            #expect(error.description == Vault.noSession.description)
        }
    }

    @Test func aClockSetBackLogsNobodyOutAndNoTokenIsOfTheFuture() async throws {
        let world = try await World()
        let session = try await world.vault.issueSession(for: user)
        for _ in 0..<2 {
            world.clock.step(.seconds(-3600))
            _ = try world.vault.session(session.token)
        }
        // A moment that the vault has not seen yet.
        let tokens = world.vault.sessionTokens
        for (seconds, isGood) in [(60, true), (61, false)] {
            let early = try tokens.token(
                for: session.record, issuedAt: HandClock.start + .seconds(seconds), expiresAt: session.record.endsAt)
            #expect(await code { try world.vault.session(early) } == (isGood ? nil : .unauthorized))
        }
    }

    @Test(arguments: [
        "{}", "{\"iss\":1}", "{\"iss\":\"a\"", "{\"iss\":\"\u{1}\"}", "{\"iss\":\"\\ud800\"}", "{\"iat\":01}",
        "{\"iat\":1.5}", "{\"iat\":1e3}", "{\"iat\":9999999999999999999}", "{\"iss\":null}", "{\"iss\":{}}",
        "{\"iss\":\"\\x\"}", "{\"iss\":\"\\u12\"}", "{iss:\"a\"}", "{\"iss\":\"a\",}", "{", "", "null",
    ])
    func claimsAreReadStrictly(json: String) { #expect(Claims(Array(json.utf8)) == nil) }

    @Test func claimsComeBackAsTheyWent() {
        let claims = Claims(
            issuer: "a\"b\\c\u{0}\n\u{7F}é𝄞", audience: "", subject: "/", issuedAt: -5,
            expiresAt: 999_999_999_999_999_999,
            id: "x")
        #expect(Claims(Array(claims.json.utf8)) == claims)
        let rest = claims.json.utf8.dropFirst()
        #expect(Claims(Array("{\"other\":1,".utf8) + rest) == claims)
        #expect(Claims(Array("{\"other\":1,\"other\":1,".utf8) + rest) == nil)
        #expect(Claims(Array("{\"other\":\"".utf8) + [0xFF] + Array("\",".utf8) + rest) == nil)
        #expect(Claims(Array(" { \"a\\u0041\" : 1 , ".utf8) + claims.json.utf8.dropFirst()) == claims)
    }
}
