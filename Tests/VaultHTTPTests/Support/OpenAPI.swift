import HTTPTypes
import NIOCore
import Testing

@testable import VaultHTTP

/// `openapi.json` as a measure for real answers.
enum OpenAPI {
    static let text = String(decoding: PackageResources.openapi_json, as: UTF8.self)
    static let document = Result { try JSONValue(text) }

    static func schema(_ name: String) throws -> JSONValue {
        try #require(try document.get()["components"]?["schemas"]?[name], "no schema \(name)")
    }

    /// What the document does not say of an answer; nil where it says all of it, or knows no such operation.
    static func complaint(_ answer: Answer, to method: HTTPRequest.Method, _ uri: String) throws -> String? {
        let path = uri.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)[0]
        let document = try document.get()
        guard let template = try template(of: path),
            let operation = document["paths"]?[template]?[method.rawValue.lowercased()]
        else { return nil }
        // What is no request by the rules of HTTP gets an empty 400 from the connection itself.
        if answer.status == .badRequest, answer.body.readableBytes == 0 { return nil }
        let name = "\(method.rawValue) \(template)"
        guard var described = operation["responses"]?["\(answer.status.code)"] else {
            return "\(name) answers with \(answer.status.code)"
        }
        if let reference = described["$ref"]?.string?.split(separator: "/").last {
            described = try #require(document["components"]?["responses"]?[String(reference)])
        }
        let type = answer.headers[.contentType].map { String($0.prefix { $0 != ";" }) }
        guard answer.body.readableBytes > 0, described["content"]?.keys.contains(type ?? "") != true else { return nil }
        return "\(name) answers with \(answer.status.code) as \(type ?? "nothing")"
    }

    /// The path of the document that this one belongs to; one spelled out comes before one with a name in it.
    private static func template(of path: Substring) throws -> String? {
        let wanted = path.split(separator: "/")
        let found = (try document.get()["paths"]?.keys ?? []).filter { template in
            let parts = template.split(separator: "/")
            return parts.count == wanted.count && zip(parts, wanted).allSatisfy { $0 == $1 || $0.hasPrefix("{") }
        }
        return found.min { $0.count { $0 == "{" } < $1.count { $0 == "{" } }
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
