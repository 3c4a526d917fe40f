import FoundationEssentials
import HTTPTypes
import Hummingbird
import NIOCore
import VaultBase

/// A request's body: one flat JSON object of strings and arrays of strings.
struct JSONBody {
    private enum Value: Decodable {
        case string(String)
        case strings([String])
        case null

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if container.decodeNil() {
                self = .null
            } else if let string = try? container.decode(String.self) {
                self = .string(string)
            } else {
                self = .strings(try container.decode([String].self))
            }
        }
    }

    private var values: [String: Value] = [:]

    /// - Parameter members: the names that may be in it; another one is a mistake worth telling.
    /// - Returns: an empty object for no body.
    /// - Throws: `bad-request`, `unsupported-media-type`; `NIOTooManyBytesError` over ``Limits/body``.
    static func read(_ request: Request, members: [String]) async throws -> JSONBody {
        let bytes = try await request.body.collect(upTo: Limits.body)
        guard bytes.readableBytes > 0 else { return JSONBody() }
        let type = (request.headers[.contentType] ?? "").prefix { $0 != ";" && $0 != " " }.lowercased()
        guard type == "application/json" else {
            throw VaultError(
                .unsupportedMediaType, "the body is not application/json", hint: "send Content-Type: application/json")
        }
        var body = JSONBody()
        do {
            body.values = try JSONDecoder().decode([String: Value].self, from: Data(bytes.readableBytesView))
        } catch {
            // The decoder's own words may quote the body.
            throw VaultError(
                .badRequest, "the body is not a JSON object of strings",
                hint: "its members are: \(members.joined(separator: ", "))")
        }
        guard let unknown = body.values.keys.first(where: { !members.contains($0) }) else { return body }
        throw VaultError(
            .badRequest, "unknown member \(unknown.prefix(32))",
            hint: "the members are: \(members.joined(separator: ", "))")
    }

    func string(_ name: String) throws(VaultError) -> String? {
        switch values[name] {
        case .string(let value): return value
        case nil, .null: return nil
        case .strings: throw VaultError(.badRequest, "\(name): a string is needed")
        }
    }

    func strings(_ name: String) throws(VaultError) -> [String]? {
        switch values[name] {
        case .strings(let values): return values
        case nil, .null: return nil
        case .string: throw VaultError(.badRequest, "\(name): an array of strings is needed")
        }
    }
}
