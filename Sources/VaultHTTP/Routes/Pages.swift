import HTTPTypes
import Hummingbird
import NIOCore
import Vault
import VaultBase

extension FacadeParts {
    /// `GET /auth/platforms`: what can be connected.
    var platformsEndpoint: Endpoint {
        Endpoint(.get, "/auth/platforms") { _, _ in
            let body = JSONText.object {
                $0.array("platforms", self.vault.platforms.entries) { text, entry in
                    text.field("name", entry.name.rawValue)
                    text.field("displayName", entry.displayName)
                    text.field("available", entry.fault == nil && entry.platform != nil)
                    text.field("reason", entry.fault?.message)
                }
            }
            return .json(body)
        }
    }

    /// `GET /.well-known/jwks.json`: what sessions can be verified with, by who has no secret (RFC 7517 §5).
    var keySetEndpoint: Endpoint {
        let body = JSONText.object {
            $0.array("keys", vault.publishedSessionKeys) { text, key in
                text.field("kty", "OKP")
                text.field("crv", "Ed25519")
                text.field("use", "sig")
                text.field("alg", "EdDSA")
                text.field("kid", key.id)
                text.field("x", key.x)
            }
        }
        return Endpoint(.get, "/.well-known/jwks.json") { _, _ in
            // Short enough that a new key is known before the old one is gone.
            Response(
                status: .ok,
                headers: [.contentType: "application/jwk-set+json", .cacheControl: "public, max-age=300"],
                body: .init(byteBuffer: body))
        }
    }

    /// `GET /openapi.json`: this interface, for programs (OpenAPI 3.1).
    var openAPIEndpoint: Endpoint { StaticFile.openAPI.endpoint(.get) }
}

/// A file that is part of the program.
struct StaticFile: Sendable {
    let path: String
    private let contentType: String
    private let body: ByteBuffer
    private let tag: String
    private let policy: String?

    static let openAPI = Self("/openapi.json", "application/json", PackageResources.openapi_json)

    /// The demo: one page, its scripts, its style and the client module, and nothing from elsewhere.
    static let demo = [
        Self("/", "text/html; charset=utf-8", PackageResources.index_html, policy: pagePolicy),
        script("/client.js", PackageResources.client_js), script("/tabs.js", PackageResources.tabs_js),
        script("/errors.js", PackageResources.errors_js), script("/app.js", PackageResources.app_js),
        script("/cards.js", PackageResources.cards_js), script("/page.js", PackageResources.page_js),
        script("/words.js", PackageResources.words_js),
        Self("/style.css", "text/css; charset=utf-8", PackageResources.style_css),
    ]

    private static func script(_ path: String, _ bytes: [UInt8]) -> Self {
        Self(path, "text/javascript; charset=utf-8", bytes)
    }

    private static let pagePolicy =
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
        + "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"

    private init(_ path: String, _ contentType: String, _ bytes: [UInt8], policy: String? = nil) {
        self.path = path
        self.contentType = contentType
        self.policy = policy
        body = ByteBuffer(bytes: bytes)
        // FNV-1a: it tells versions apart and defends nothing.
        let hash = bytes.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
        tag = "\"\(String(hash, radix: 16))\""
    }

    /// The endpoint for GET or HEAD.
    func endpoint(_ method: HTTPRequest.Method) -> Endpoint {
        Endpoint(method, path) { request, _ in
            var headers: HTTPFields = [
                .contentType: contentType, .cacheControl: "no-cache", .eTag: tag,
            ]
            headers[.contentSecurityPolicy] = policy
            if request.headers[.ifNoneMatch]?.contains(tag) ?? false {
                headers[.contentType] = nil
                return Response(status: .notModified, headers: headers)
            }
            let response = Response(status: .ok, headers: headers, body: .init(byteBuffer: body))
            return method == .head ? response.createHeadResponse() : response
        }
    }
}
