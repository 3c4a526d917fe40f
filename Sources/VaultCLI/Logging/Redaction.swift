import Synchronization
import VaultBase

/// Keeps secrets out of whatever is logged, should somebody try to log one.
///
/// Three nets: values under names that hold secrets are dropped, secrets we were given are replaced
/// wherever they stand, and what looks like a JWT or a parameter of a login is replaced too. Tokens are
/// ``VaultBase/Secret`` everywhere and print as `<redacted>` by themselves; this is for what slips through.
final class Redaction: Sendable {
    static let shared = Redaction()
    static let mark = "<redacted>"
    /// A secret shorter than this is not looked for: it would tear up ordinary words.
    static let shortest = 8

    private let known = Mutex<[[UInt8]]>([])

    /// Has the secret replaced wherever it appears from now on.
    func register(_ secret: Secret) {
        guard secret.count >= Self.shortest else { return }
        let bytes = secret.withBytes { Array($0) }
        known.withLock { if !$0.contains(bytes) { $0.append(bytes) } }
    }

    /// Whether the value under this name is dropped.
    ///
    /// `code` is both ours (`no-connection`) and a login's, so it is kept only when it is one of ours.
    func drops(_ name: String, _ value: String) -> Bool {
        let name = name.lowercased()
        if name == "code" { return !Self.ownCodes.contains(value) && !Self.isStatus(value) }
        if Self.names.contains(name) { return true }
        return Self.endings.contains { name.hasSuffix($0) }
    }

    /// `http-503`: what came of a request that was answered otherwise than it should be.
    private static func isStatus(_ value: String) -> Bool {
        value.utf8.count == 8 && value.hasPrefix("http-") && Int(value.dropFirst(5)) != nil
    }

    /// The text without secrets.
    func clean(_ text: String) -> String {
        var bytes = Array(text.utf8)
        var changed = false
        known.withLock { secrets in
            for secret in secrets where Self.replace(secret, in: &bytes) { changed = true }
        }
        if Self.replaceTokens(&bytes) { changed = true }
        if Self.replaceParameters(&bytes) { changed = true }
        return changed ? String(decoding: bytes, as: UTF8.self) : text
    }

    private static let names: Set<String> = [
        "token", "secret", "state", "authorization", "cookie", "set-cookie", "password", "passphrase", "verifier",
        "binding", "nonce", "jwt", "key", "assertion",
    ]
    private static let endings = ["token", "secret", "password", "_key", "-key", "verifier", "authorization", "cookie"]
    private static let ownCodes: Set<String> = [
        "bad-request", "unauthorized", "forbidden", "not-found", "rate-limited", "conflict", "no-platform",
        "platform-unavailable", "no-connection", "reconnect", "restart-login", "retry", "operator", "uncertain",
        "account-in-use", "damaged", "wrong-key", "full", "locked", "no-store", "unknown-outcome", "newer-format",
        "settings", "plugin", "file", "unavailable", "internal", "invalid_grant", "invalid_client", "invalid_request",
        "invalid_scope", "access_denied", "server_error", "temporarily_unavailable", "undecodable", "timeout",
        "connection-closed", "connection-lost", "connect-failed", "connect-timeout", "tls-failed", "dns-failed",
        "host-refused", "address-refused", "answer-too-long", "unsent", "no-refresh-token", "no-account-id",
        "subject-mismatch", "other-account", "token-type", "unusable-token", "plugin-parse", "expired", "removed", "ok",
    ]
    private static let parameters = [
        "code", "state", "token", "access_token", "refresh_token", "id_token", "client_secret", "code_verifier",
        "session", "password",
    ].map { Array($0.utf8) }

    private static func replace(_ secret: [UInt8], in bytes: inout [UInt8]) -> Bool {
        guard bytes.count >= secret.count else { return false }
        var changed = false
        var index = 0
        while index + secret.count <= bytes.count {
            if bytes[index] == secret[0], bytes[index..<index + secret.count].elementsEqual(secret) {
                bytes.replaceSubrange(index..<index + secret.count, with: mark.utf8)
                index += mark.utf8.count
                changed = true
            } else {
                index += 1
            }
        }
        return changed
    }

    /// `eyJ….….…`: three parts of base64url, the first a JSON object.
    private static func replaceTokens(_ bytes: inout [UInt8]) -> Bool {
        var changed = false
        var index = 0
        let start = Array("eyJ".utf8)
        while index + 10 < bytes.count {
            guard bytes[index] == start[0], bytes[index..<index + 3].elementsEqual(start),
                index == 0 || !isTokenByte(bytes[index - 1])
            else {
                index += 1
                continue
            }
            let end = bytes[index...].firstIndex { !isTokenByte($0) && $0 != 0x2E } ?? bytes.count
            if bytes[index..<end].filter({ $0 == 0x2E }).count >= 2 {
                bytes.replaceSubrange(index..<end, with: mark.utf8)
                index += mark.utf8.count
                changed = true
            } else {
                index = end
            }
        }
        return changed
    }

    /// `code=…`, `state=…`: what stands in a callback's address or a form.
    private static func replaceParameters(_ bytes: inout [UInt8]) -> Bool {
        var changed = false
        var index = 0
        while let equals = bytes[index...].firstIndex(of: 0x3D) {
            var start = equals
            while start > 0, isTokenByte(bytes[start - 1]) { start -= 1 }
            let end = bytes[(equals + 1)...].firstIndex { $0 == 0x26 || $0 <= 0x20 || $0 == 0x22 } ?? bytes.count
            let isWord = start == 0 || [0x3F, 0x26, 0x23, 0x20, 0x22].contains(bytes[start - 1])
            if isWord, parameters.contains(Array(bytes[start..<equals])), end > equals + 1 {
                bytes.replaceSubrange(equals + 1..<end, with: mark.utf8)
                index = equals + 1 + mark.utf8.count
                changed = true
            } else {
                index = equals + 1
            }
        }
        return changed
    }

    private static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x5F: true
        default: false
        }
    }
}
