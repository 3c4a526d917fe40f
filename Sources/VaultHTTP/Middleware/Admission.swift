import HTTPTypes
import Hummingbird
import VaultBase

/// What is refused before any route sees it.
struct Admission {
    let parts: FacadeParts

    /// - Throws: `too-large`, `forbidden`.
    func admit(_ request: Request) async throws -> Request {
        if let length = request.headers[.contentLength], Int(length) ?? .max > Limits.body {
            throw VaultError(.tooLarge, "the body is over \(Limits.body) bytes")
        }
        // A page of another origin may send a simple request without asking (CORS has no preflight for
        // it); a browser always says where such a request comes from. The callback is posted by providers.
        let changes = request.method != .get && request.method != .head && request.method != .options
        if changes, let origin = request.headers[.origin], !parts.origins.mayWrite(origin),
            !FacadeParts.isCallback(request.uri.path)
        {
            throw VaultError(
                .forbidden, "a page of this origin may not change anything here",
                hint: "open the application at its configured address, or add its origin to allowed-origins")
        }
        var request = request
        if request.headers.contains(.transferEncoding) {
            // A body that does not say its length is read to the limit here, also where nobody wants it:
            // otherwise it would be drained for as long as the client likes to send.
            _ = try await request.collectBody(upTo: Limits.body)
        }
        return request
    }
}
