// The text format is prometheus.io/docs/instrumenting/exposition_formats, "Text format details", 0.0.4.

/// Writes the exposition format, a line at a time.
struct PrometheusText {
    private(set) var string = ""

    mutating func head(_ name: String, _ kind: PrometheusMetrics.Kind, help: String) {
        string += "# HELP \(name) \(Self.escape(help, quotes: false))\n# TYPE \(name) \(kind.rawValue)\n"
    }

    mutating func sample(_ name: String, _ labels: String, _ value: String) {
        string += labels.isEmpty ? "\(name) \(value)\n" : "\(name){\(labels)} \(value)\n"
    }

    /// A name of the data model, `[a-zA-Z_:][a-zA-Z0-9_:]*`; what is not in it becomes `_`.
    static func name(_ label: String) -> String { identifier(label, colons: true) }

    /// `a="x",b="y"` in order of label name, values escaped. Of a label given twice the last one counts.
    static func labels(_ dimensions: [(String, String)]) -> String {
        var values: [String: String] = [:]
        for (label, value) in dimensions { values[identifier(label, colons: false)] = value }
        return values.sorted { $0.key < $1.key }
            .map { "\($0.key)=\"\(escape($0.value, quotes: true))\"" }
            .joined(separator: ",")
    }

    /// A number as Go's ParseFloat reads it.
    static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        if let whole = Int64(exactly: value) { return String(whole) }
        return "\(value)"
    }

    private static func identifier(_ text: String, colons: Bool) -> String {
        var out = ""
        for character in text.unicodeScalars {
            switch character {
            case "a"..."z", "A"..."Z", "_": out.unicodeScalars.append(character)
            case "0"..."9":
                // It may not begin with a digit.
                if out.isEmpty { out = "_" }
                out.unicodeScalars.append(character)
            case ":" where colons: out.unicodeScalars.append(character)
            default: out += "_"
            }
        }
        return out.isEmpty ? "_" : out
    }

    private static func escape(_ text: String, quotes: Bool) -> String {
        var out = ""
        for character in text.unicodeScalars {
            switch character {
            case "\\": out += "\\\\"
            case "\n": out += "\\n"
            case "\"" where quotes: out += "\\\""
            default: out.unicodeScalars.append(character)
            }
        }
        return out
    }
}
