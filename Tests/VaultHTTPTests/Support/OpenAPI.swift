import HTTPTypes
import Testing

@testable import VaultHTTP

/// `openapi.json` as a measure for real answers.
enum OpenAPI {
    static let text = String(decoding: PackageResources.openapi_json, as: UTF8.self)
    static let document = Result { try JSONValue(text) }

    static func schema(_ name: String) throws -> JSONValue {
        try #require(try document.get()["components"]?["schemas"]?[name], "no schema \(name)")
    }

    static func expect(_ answer: Answer, is name: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
        #expect(answer.status == .ok, sourceLocation: sourceLocation)
        #expect(answer.headers[.contentType] == "application/json", sourceLocation: sourceLocation)
        try expect(try answer.json, is: name, sourceLocation: sourceLocation)
    }

    /// Every member is described, and every required one is there.
    static func expect(_ value: JSONValue, is name: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
        let schema = try schema(name)
        let known = schema["properties"]?.keys ?? []
        let required = Set((schema["required"]?.array ?? []).compactMap(\.string))
        #expect(value.keys.isSubset(of: known), "undescribed members", sourceLocation: sourceLocation)
        #expect(value.keys.isSuperset(of: required), "missing members", sourceLocation: sourceLocation)
    }
}
