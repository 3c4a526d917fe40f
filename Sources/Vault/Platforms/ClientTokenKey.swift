import Synchronization
public import VaultBase
import VaultCrypto
public import VaultProviders

/// The private key that a platform's client secret is, and the JWTs it signs (RFC 7519): `alg` and `kid` in the header,
/// `iss`, `iat` and `exp` in the claims, and nothing about any user.
///
/// A token is signed once and handed out for the first half of its life.
public final class ClientTokenKey: ClientTokenSigner {
    private let key: ES256
    private let rule: ProviderDescription.ClientTokenRule
    private let last = Mutex<(signed: ClientToken, at: Timestamp)?>(nil)

    /// - Throws: `settings`, naming the platform's setting, when the secret is no key.
    public init(_ platform: Platform) throws(VaultError) {
        guard let rule = FlowEngine(platform).platform.provider.description.clientToken,
            let secret = platform.clientSecret
        else { throw VaultError(.internal, "platform \(platform.name) signs nothing") }
        self.rule = rule
        do {
            key = try ES256(pem: secret)
        } catch {
            throw VaultError(error.code, "platforms.\(platform.name).client-secret: \(error.message)", hint: error.hint)
        }
    }

    public func token(at now: Timestamp) throws(VaultError) -> ClientToken {
        let half = Duration.seconds(rule.lifetime / 2)
        // A clock set back makes another, too: one from the future is refused.
        if let (signed, at) = last.withLock({ $0 }), now >= at, now < at + half { return signed }
        let header = #"{"alg":"ES256","kid":\#(JSONText.quoted(rule.keyID)),"typ":"JWT"}"#
        let claims =
            #"{"iss":\#(JSONText.quoted(rule.issuer)),"iat":\#(now.seconds),"exp":\#(now.seconds + rule.lifetime)}"#
        let text = Base64.encodeURL(Array(header.utf8)) + "." + Base64.encodeURL(Array(claims.utf8))
        let signature = try key.signature(of: text.utf8)
        let signed = ClientToken(
            token: Secret(text + "." + Base64.encodeURL(signature)),
            expiresAt: Timestamp(seconds: now.seconds + rule.lifetime))
        last.withLock { $0 = (signed, now) }
        return signed
    }
}
