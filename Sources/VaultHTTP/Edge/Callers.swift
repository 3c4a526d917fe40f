import HTTPTypes
import Hummingbird
import Vault
import VaultBase
import VaultRecords

/// Who is asking.
struct Caller {
    var session: SessionRecord
    /// Whether the session came as a cookie.
    var byCookie: Bool
}

extension FacadeParts {
    /// The request's session: `Authorization: Bearer` (RFC 6750 §2.1; never a query parameter), or the
    /// cookie where the delivery is by cookie.
    ///
    /// - Parameter orReplaced: whether a session that was renewed a moment ago counts too.
    /// - Throws: `unauthorized`; `forbidden` for a change asked for by cookie without `X-Vault-CSRF: 1`.
    func caller(_ request: Request, orReplaced: Bool = false) throws -> Caller {
        let session = orReplaced ? vault.sessionOrReplaced : vault.session
        if let token = try bearer(request.headers) {
            return Caller(session: try session(token), byCookie: false)
        }
        if let token = cookie(request) {
            try checkCSRF(request)
            return Caller(session: try session(token), byCookie: true)
        }
        throw VaultError(.unauthorized, "no session was sent", hint: "send it as: Authorization: Bearer SESSION")
    }

    /// The session of a request that may have none. A cookie that is worth nothing any more counts as none,
    /// because a page cannot take it away; a bearer token that is worth nothing is a mistake.
    func callerIfAny(_ request: Request) throws -> Caller? {
        if try bearer(request.headers) != nil { return try caller(request) }
        guard let token = cookie(request) else { return nil }
        try checkCSRF(request)
        guard let session = try? vault.session(token) else { return nil }
        return Caller(session: session, byCookie: true)
    }

    func bearer(
        _ headers: HTTPFields, hint: String = "send it as: Authorization: Bearer SESSION"
    ) throws(VaultError) -> Secret? {
        let values = headers[values: .authorization]
        guard var value = values.first else { return nil }
        let token = value.withUTF8 { bytes -> Secret? in
            let isBearer = zip(bytes, Self.scheme).allSatisfy { $0 | ($1 == 0x20 ? 0 : 0x20) == $1 }
            guard isBearer, bytes.count > Self.scheme.count else { return nil }
            return Secret(copying: UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: bytes[Self.scheme.count...])))
        }
        guard values.count == 1, let token else {
            throw VaultError(
                .unauthorized, "the Authorization header is not one Bearer token", hint: hint)
        }
        return token
    }

    /// RFC 9110 §11.1: the scheme's case does not matter.
    private static let scheme = Array("bearer ".utf8)

    private func cookie(_ request: Request) -> Secret? {
        vault.options.sessionDelivery == .cookie ? cookies.session(in: request) : nil
    }

    /// Another site can make a browser send a cookie, but not a header of its own (RFC 9700 §4.7.1 and
    /// the browser-based-apps BCP §6.1.3.3).
    private func checkCSRF(_ request: Request) throws(VaultError) {
        guard request.method != .get, request.method != .head else { return }
        guard request.headers[.csrf] == "1" else {
            throw VaultError(
                .forbidden, "a change by session cookie needs the header X-Vault-CSRF",
                hint: "send X-Vault-CSRF: 1")
        }
    }
}
