/// An answer's body, decoded once by the same rules for every provider.
enum AnswerBody {
    case object(JSONValue)
    case empty
    /// HTML, plain text, truncated JSON, JSON that is no object.
    case undecodable

    /// JSON first, whatever the content type says. A form when the type or the text says so: GitHub answers in one
    /// unless asked otherwise, and Deezer calls its form HTML.
    init(_ answer: ProviderAnswer) {
        let bytes = answer.body
        guard bytes.contains(where: { $0 > 0x20 }) else {
            self = .empty
            return
        }
        if let json = JSONValue(bytes) {
            self = json.isObject ? .object(json) : .undecodable
            return
        }
        self = .undecodable
        guard bytes.count <= 65536, let text = String(validating: bytes, as: UTF8.self),
            let first = text.utf8.first(where: { $0 > 0x20 }), first != UInt8(ascii: "<"), first != UInt8(ascii: "{")
        else { return }
        let type = answer.header("Content-Type")?.lowercased() ?? ""
        guard
            type.hasPrefix("application/x-www-form-urlencoded") || text.hasPrefix("access_token=")
                || text.hasPrefix("error=")
                || text.split(separator: "&").contains(where: { $0.hasPrefix("access_token=") }),
            let pairs = FormText.decode(text)
        else { return }
        self = .object(.object(Dictionary(pairs.map { ($0.name, .string($0.value)) }, uniquingKeysWith: { $1 })))
    }

    func at(_ path: [String]) -> JSONValue? {
        guard case .object(let json) = self else { return nil }
        return json.at(path)
    }

    /// The provider's error code wherever it likes to put it.
    var errorCode: String? {
        if let code = at(["error"])?.text { return code }
        for path in [
            ["error", "code"], ["error", "type"], ["error_code"], ["errorCode"], ["errors", "0", "code"],
        ] {
            if let code = at(path)?.text { return code }
        }
        return nil
    }

    /// Whether there is an `error` that says something; `"error": null` and `false` do not. Or `errors`, as JSON:API
    /// has them.
    var hasError: Bool {
        switch at(["error"]) {
        case nil, .null, .bool(false), .string(""): errorCode != nil || at(["errors", "0"]) != nil
        default: true
        }
    }
}
