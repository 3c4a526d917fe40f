import Hummingbird
import VaultBase

/// The two cookies we set, and how (RFC 6265bis §4.1).
///
/// Over TLS they carry the prefix `__Host-`, which a browser accepts only with `Secure`, `Path=/` and no
/// `Domain`; on plain-HTTP loopback, where neither is possible everywhere, they go without.
struct CookieJar: Sendable {
    let isSecure: Bool

    /// Binds a login to the browser that began it. Lax, because it must come along when the provider
    /// sends the browser back.
    var binding: String { isSecure ? "__Host-vault-login" : "vault-login" }
    /// The session, where the delivery is by cookie. Strict: it never comes along from another site.
    var session: String { isSecure ? "__Host-vault-session" : "vault-session" }

    func setBinding(_ value: Secret, for lifetime: Duration) -> String {
        line(binding, value.reveal(), seconds: lifetime.components.seconds, "Lax")
    }

    func setSession(_ value: Secret, until end: Timestamp, now: Timestamp) -> String {
        line(session, value.reveal(), seconds: max(0, (end - now).components.seconds), "Strict")
    }

    func clearSession() -> String { line(session, "", seconds: 0, "Strict") }

    func binding(in request: Request) -> Secret? { value(binding, in: request, limit: 256) }
    func session(in request: Request) -> Secret? { value(session, in: request, limit: 4096) }

    /// A value of ours is base64url with dots; anything else was never set here and counts as absent.
    private func value(_ name: String, in request: Request, limit: Int) -> Secret? {
        guard let value = request.cookies[name]?.value, (1...limit).contains(value.utf8.count),
            value.utf8.allSatisfy({
                (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0) || $0 == 0x2D
                    || $0 == 0x2E || $0 == 0x5F
            })
        else { return nil }
        return Secret(value)
    }

    private func line(_ name: String, _ value: String, seconds: Int64, _ sameSite: String) -> String {
        "\(name)=\(value); Path=/; Max-Age=\(seconds); HttpOnly; SameSite=\(sameSite)\(isSecure ? "; Secure" : "")"
    }
}
