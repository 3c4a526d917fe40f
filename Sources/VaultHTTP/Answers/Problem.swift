import HTTPTypes
import Hummingbird
import VaultBase

// The codes a client may meet and the statuses they are answered with. `Documentation.docc/HTTP-API` lists
// the same, and a test holds the two together.

extension VaultError.Code {
    /// The path exists, but not with that method.
    static let methodNotAllowed = Self("method-not-allowed")
    /// The body is over ``Limits/body``.
    static let tooLarge = Self("too-large")
    /// The body is not of a type that is read here.
    static let unsupportedMediaType = Self("unsupported-media-type")
}

/// An error whose answer needs header fields of its own.
struct Refusal: Error {
    var error: VaultError
    var headers: HTTPFields
}

/// What went wrong, as it is answered: `application/problem+json` (RFC 9457).
struct Problem {
    /// One kind of problem.
    struct Kind: Sendable {
        var code: VaultError.Code
        var status: HTTPResponse.Status
        var title: String
        /// Seconds to wait, when the error does not say; nil for no `Retry-After`.
        var retryAfter: Int64?
        /// Said instead of the error's own words, where those are the operator's business.
        var detail: String?

        init(
            _ code: VaultError.Code, _ status: HTTPResponse.Status, _ title: String, retryAfter: Int64? = nil,
            detail: String? = nil
        ) {
            self.code = code
            self.status = status
            self.title = title
            self.retryAfter = retryAfter
            self.detail = detail
        }
    }

    /// Every kind there is. An error of any other code is answered as the last one.
    static let kinds: [Kind] = [
        Kind(.badRequest, .badRequest, "The request cannot be understood"),
        Kind(.unauthorized, .unauthorized, "A session or a service key is needed"),
        Kind(.forbidden, .forbidden, "Refused"),
        Kind(.notFound, .notFound, "There is nothing here"),
        Kind(.noPlatform, .notFound, "No such platform"),
        Kind(.noConnection, .notFound, "Not connected"),
        Kind(.methodNotAllowed, .methodNotAllowed, "Not with this method"),
        Kind(.conflict, .conflict, "Changed by somebody else"),
        Kind(.accountInUse, .conflict, "The account belongs to another user"),
        Kind(.reconnect, .conflict, "The user must connect again"),
        Kind(.restartLogin, .conflict, "The login must be started again"),
        Kind(.tooLarge, .contentTooLarge, "The body is too large"),
        Kind(.unsupportedMediaType, .unsupportedMediaType, "The body is of another type"),
        Kind(.rateLimited, .tooManyRequests, "Too many requests", retryAfter: 60),
        Kind(.operatorAction, .badGateway, "The operator must act"),
        Kind(.platformUnavailable, .serviceUnavailable, "The platform is not available", retryAfter: 60),
        Kind(.retry, .serviceUnavailable, "Try again later", retryAfter: 5),
        Kind(.uncertain, .serviceUnavailable, "The outcome of a refresh is not known yet", retryAfter: 10),
        Kind(
            .unavailable, .serviceUnavailable, "The server is stopping", retryAfter: 5,
            detail: "the server is stopping or not ready"),
        Kind(
            .full, .init(code: 507, reasonPhrase: "Insufficient Storage"), "No room",
            detail: "the vault has no room for new records"),
        Kind(
            .unknownOutcome, .internalServerError, "The outcome is not known",
            detail: "the vault's storage failed under this request; it may have happened or not"),
        Kind(
            .internal, .internalServerError, "The vault made a mistake",
            detail: "the request could not be answered; the log has the reason under its request id"),
    ]

    private static let byCode = Dictionary(uniqueKeysWithValues: kinds.map { ($0.code, $0) })

    let kind: Kind
    private let error: VaultError?
    /// Headers that belong to the answer, such as `Allow`.
    var headers = HTTPFields()

    init(_ error: VaultError) {
        kind = Self.byCode[error.code] ?? Self.kinds[Self.kinds.count - 1]
        self.error = kind.detail == nil ? error : nil
        if let seconds = Self.seconds(error.retryAfter) ?? kind.retryAfter {
            headers[.retryAfter] = String(seconds)
        }
    }

    var detail: String { kind.detail ?? error?.message ?? kind.title }
    var hint: String? { error?.hint }

    func response(requestID: String) -> Response {
        let body = JSONText.object {
            $0.field("type", "urn:vault:problem:\(kind.code.name)")
            $0.field("title", kind.title)
            $0.field("status", kind.status.code)
            $0.field("code", kind.code.name)
            $0.field("detail", detail)
            $0.field("hint", hint)
            $0.field("instance", "urn:vault:request:\(requestID)")
        }
        var headers = headers
        headers[.contentType] = "application/problem+json"
        return Response(status: kind.status, headers: headers, body: .init(byteBuffer: body))
    }

    /// Whole seconds, rounded up: who comes back then is not too early.
    private static func seconds(_ duration: Duration?) -> Int64? {
        duration.map { max(1, ($0.milliseconds + 999) / 1000) }
    }
}
