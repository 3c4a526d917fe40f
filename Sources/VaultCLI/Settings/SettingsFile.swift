import TOMLKit
import VaultBase

/// What vault.conf says, flattened to `store.path` → value, each with its line.
struct SettingsFile: Sendable {
    /// As the operator named it, for errors.
    let name: String
    /// In the order of the file.
    let entries: [(path: [String], raw: RawValue, line: Int)]

    /// - Throws: `settings` with the line, for text that is not TOML.
    init(name: String, text: String) throws(VaultError) {
        self.name = name
        let lines = LineIndex(text)
        var found: [(path: [String], raw: RawValue, line: Int)] = []
        do {
            Self.walk(try TOMLTable(string: text), [], lines, &found)
        } catch let error as TOMLParseError {
            throw VaultError(
                .settings, "\(name):\(error.source.begin.line): \(Self.words(error.description))",
                hint: "strings stand in quotes: key = \"value\"; sections look like [store]")
        } catch {
            throw VaultError(.settings, "\(name): cannot be read as TOML", cause: error)
        }
        entries = found.sorted { $0.line < $1.line }
    }

    private static func walk(
        _ table: TOMLTable, _ path: [String], _ lines: LineIndex,
        _ found: inout [(path: [String], raw: RawValue, line: Int)]
    ) {
        for key in table.keys {
            guard let value = table[key] else { continue }
            let place = path + [key]
            if let inner = value.table {
                walk(inner, place, lines, &found)
                // An empty [platforms.x] is a platform all the same.
                if inner.isEmpty { found.append((place, .other("an empty section"), lines[place])) }
            } else {
                found.append((place, RawValue(toml: value), lines[place]))
            }
        }
    }

    /// The parser's sentence without the text it quotes: that may be a secret.
    private static func words(_ description: String) -> String {
        let first = description.split(separator: "\n").first.map(String.init) ?? "not TOML"
        let kept = first.range(of: "; actual was").map { String(first[..<$0.lowerBound]) } ?? first
        return kept.prefix(1).lowercased() + String(kept.dropFirst())
    }
}

/// Where each key of a TOML text stands. The parser keeps this to itself, so the text is looked over again.
struct LineIndex: Sendable {
    private var lines: [[String]: Int] = [:]

    /// The line of the key, or of the section or inline table it stands in.
    subscript(path: [String]) -> Int {
        var path = path
        while !path.isEmpty {
            if let line = lines[path] { return line }
            path.removeLast()
        }
        return 1
    }

    init(_ text: String) {
        var section: [String] = []
        var depth = 0
        var fence: String?
        for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let line = line.trimmed
            if let end = fence {
                if String(line).range(of: end) != nil { fence = nil }
                continue
            }
            if depth > 0 {
                depth += Self.brackets(line)
                continue
            }
            guard let first = line.first, first != "#" else { continue }
            if first == "[" {
                section = Self.key(line.drop { $0 == "[" }).path
                if lines[section] == nil { lines[section] = number + 1 }
                continue
            }
            let (path, rest) = Self.key(line)
            guard !path.isEmpty, rest.first == "=" else { continue }
            if lines[section + path] == nil { lines[section + path] = number + 1 }
            let value = rest.dropFirst().trimmed
            for quotes in ["\"\"\"", "'''"] where value.hasPrefix(quotes) {
                if String(value.dropFirst(3)).range(of: quotes) == nil { fence = quotes }
            }
            if fence == nil { depth = max(0, Self.brackets(value)) }
        }
    }

    /// A dotted key and what follows it.
    private static func key(_ line: Substring) -> (path: [String], rest: Substring) {
        var rest = line.trimmed
        var path: [String] = []
        while let first = rest.first {
            if first == "\"" || first == "'" {
                let body = rest.dropFirst()
                guard let end = body.firstIndex(of: first) else { return ([], rest) }
                path.append(String(body[..<end]))
                rest = body[body.index(after: end)...].trimmed
            } else {
                let part = rest.prefix { $0.isLetter || $0.isNumber || $0 == "_" || $0 == "-" }
                guard !part.isEmpty else { return (path, rest) }
                path.append(String(part))
                rest = rest.dropFirst(part.count).trimmed
            }
            guard rest.first == "." else { return (path, rest) }
            rest = rest.dropFirst().trimmed
        }
        return (path, rest)
    }

    /// How many more brackets open than close, outside strings and comments.
    private static func brackets(_ line: Substring) -> Int {
        var depth = 0
        var quote: Character?
        var escaped = false
        for character in line {
            if let open = quote {
                if escaped {
                    escaped = false
                } else if character == "\\", open == "\"" {
                    escaped = true
                } else if character == open {
                    quote = nil
                }
                continue
            }
            switch character {
            case "\"", "'": quote = character
            case "#": return depth
            case "[", "{": depth += 1
            case "]", "}": depth -= 1
            default: break
            }
        }
        return depth
    }
}
