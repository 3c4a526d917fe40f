import HTTPTypes
import Hummingbird
import NIOCore
import Synchronization
import Vault
import VaultBase

/// `GET /auth/{platform}/token` where there is nothing to wait for: the session holds, the token is fresh.
///
/// Answers word for word what the router would, without the changes of thread that an asynchronous handler costs.
/// Everything else is nil, and the router's: errors, refreshes, sessions by cookie, requests with a body.
struct TokensAtHand: Sendable {
    let parts: FacadeParts
    let rules: BrowserRules
    let observation: Observation
    private let date = DateText()

    /// Whether it is worth asking, by what can be seen at no cost.
    func isWorthAsking(_ request: HTTPRequest) -> Bool {
        request.method == .get && request.path?.hasSuffix(Self.suffix) == true
            && request.headerFields.contains(.authorization)
            && !Self.special.contains { request.headerFields.contains($0) }
            && request.headerFields[.connection].map { $0.lowercased() == "keep-alive" } ?? true
    }

    func answer(_ request: HTTPRequest) -> (head: HTTPResponse, body: ByteBuffer)? {
        let begun = NIODeadline.now()
        guard let path = request.path, let platform = Self.platform(in: path),
            let session = try? parts.bearer(request.headerFields),
            let token = parts.vault.tokenAtHand(session, at: platform)
        else { return nil }
        let body = FacadeParts.body(token)
        let id = RequestID().description
        var fields = HTTPFields()
        fields.reserveCapacity(16)
        fields.append(FacadeParts.jsonType)
        fields.append(HTTPField(name: .contentLength, value: String(body.readableBytes)))
        rules.apply(to: &fields, of: request.headerFields, at: path)
        fields.append(HTTPField(name: .xRequestID, value: id))
        fields.append(HTTPField(name: .date, value: date.now))
        observation.note(.ok, to: .get, at: FacadeParts.tokenPath, since: begun, id: id)
        return (HTTPResponse(status: .ok, headerFields: fields), body)
    }

    /// The name in `/auth/{platform}/token`, where it is written as it is.
    private static func platform(in path: String) -> PlatformName? {
        guard path.hasPrefix(prefix), path.hasSuffix(suffix), path.utf8.count > prefix.utf8.count + suffix.utf8.count
        else { return nil }
        return try? PlatformName(String(path.dropFirst(prefix.utf8.count).dropLast(suffix.utf8.count)))
    }

    private static let prefix = "/auth/"
    private static let suffix = "/token"
    /// Fields that ask for more than an answer.
    private static let special: [HTTPField.Name] = [.contentLength, .transferEncoding, .expect, .upgrade]
}

/// The `Date` of answers (RFC 9110 §6.6.1), written once a second.
private final class DateText: Sendable {
    private let last = Mutex<(second: Int64, text: String)>((.min, ""))

    var now: String {
        let present = SystemClock().now()
        return last.withLock { last in
            if last.second != present.seconds { last = (present.seconds, present.httpDate) }
            return last.text
        }
    }
}
