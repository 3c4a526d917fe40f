import FoundationEssentials
import HTTPTypes
import Hummingbird
import NIOCore
import VaultBase

enum JSON {
    /// - Parameter snakeCase: writes `accessToken` as `access_token`, as OAuth does.
    static func encode(_ value: some Encodable, snakeCase: Bool = false) -> [UInt8] {
        let encoder = JSONEncoder()
        if snakeCase { encoder.keyEncodingStrategy = .convertToSnakeCase }
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Encoding our own types of strings and integers does not fail.
        return (try? encoder.encode(value)).map(Array.init) ?? []
    }

    static func decode<T: Decodable>(_ type: T.Type, from buffer: ByteBuffer) throws -> T {
        try JSONDecoder().decode(type, from: Data(buffer.readableBytesView))
    }
}

extension Response {
    static func json(
        _ value: some Encodable, status: HTTPResponse.Status = .ok, headers: HTTPFields = [:]
    ) -> Response {
        .bytes(JSON.encode(value), type: "application/json", status: status, headers: headers)
    }

    /// Nothing the sandbox answers may be kept by a browser or a proxy (RFC 6749 §5.1).
    static func bytes(
        _ bytes: [UInt8], type: String, status: HTTPResponse.Status = .ok, headers: HTTPFields = [:]
    ) -> Response {
        var headers = headers
        headers[.contentType] = type
        headers[.cacheControl] = "no-store"
        headers[.pragma] = "no-cache"
        headers[.xContentTypeOptions] = "nosniff"
        return Response(status: status, headers: headers, body: .init(byteBuffer: ByteBuffer(bytes: bytes)))
    }

    static func oauth(_ error: OAuthError, headers: HTTPFields = [:]) -> Response {
        .json(
            ["error": error.code, "error_description": error.description], status: .init(code: error.status),
            headers: headers)
    }
}

extension HTTPField.Name {
    static var pragma: Self { .init("Pragma")! }
}
