import FoundationEssentials
import VaultBase

/// JSON for programs: one object a line, keys in order, nothing escaped that need not be.
enum JSON {
    static func line(_ value: some Encodable) throws(VaultError) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            return String(decoding: try encoder.encode(value), as: UTF8.self)
        } catch {
            throw VaultError(.internal, "the answer cannot be written as JSON", cause: error)
        }
    }

    /// Reads one JSON value.
    ///
    /// - Parameter place: what it is, for the error: `standard input`, `tokens.jsonl:7`.
    /// - Throws: `bad-request` naming the place and the field, never a value: it may be a token.
    static func read<T: Decodable>(_ type: T.Type, _ bytes: [UInt8], place: String, hint: String) throws(VaultError)
        -> T
    {
        do {
            return try JSONDecoder().decode(type, from: Data(bytes))
        } catch let error as DecodingError {
            throw VaultError(.badRequest, "\(place): \(words(error))", hint: hint)
        } catch {
            throw VaultError(.badRequest, "\(place): no JSON", hint: hint)
        }
    }

    private static func words(_ error: DecodingError) -> String {
        func field(_ path: [any CodingKey]) -> String {
            path.isEmpty ? "the value" : path.map(\.stringValue).joined(separator: ".")
        }
        switch error {
        case .keyNotFound(let key, _): return "\(key.stringValue) is missing"
        case .typeMismatch(let type, let context): return "\(field(context.codingPath)) is no \(type)".lowercasedType
        case .valueNotFound(_, let context): return "\(field(context.codingPath)) is null"
        case .dataCorrupted(let context) where !context.codingPath.isEmpty:
            return "\(field(context.codingPath)) \(context.debugDescription)"
        case .dataCorrupted: return "no JSON"
        @unknown default: return "no JSON of this form"
        }
    }
}

extension String {
    /// Swift's names of types in JSON's words.
    fileprivate var lowercasedType: String {
        for (swift, json) in [("is no String", "is no string"), ("is no UInt64", "is no whole number")]
        where hasSuffix(swift) {
            return dropLast(swift.count) + json
        }
        return hasSuffix(">") ? String(prefix { $0 != " " }) + " is no object" : self
    }
}
