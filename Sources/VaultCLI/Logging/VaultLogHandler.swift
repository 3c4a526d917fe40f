import Logging
import VaultBase

/// How log lines look.
enum LogFormat: String, CaseIterable, Sendable { case auto, json, text }

/// The levels of swift-log, as `log.level` names them.
enum LogLevel: String, CaseIterable, Sendable {
    case trace, debug, info, notice, warning, error, critical

    var level: Logger.Level { Logger.Level(rawValue: rawValue) ?? .info }
}

/// Writes each event as one line: a JSON object for machines, words for people.
///
/// A line of JSON has `time`, `level`, `message`, `label` and then the metadata, each under its own name;
/// a name that is taken gets `meta.` before it. Everything passes ``Redaction``.
struct VaultLogHandler: LogHandler {
    var logLevel: Logger.Level
    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?
    let label: String
    let json: Bool
    let redaction: Redaction
    let clock: any WallClock
    let write: @Sendable (String) -> Void

    init(
        label: String, level: Logger.Level, json: Bool, redaction: Redaction = .shared,
        clock: any WallClock = SystemClock(), write: @escaping @Sendable (String) -> Void
    ) {
        self.label = label
        logLevel = level
        self.json = json
        self.redaction = redaction
        self.clock = clock
        self.write = write
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var all = metadata
        if let provided = metadataProvider?.get() { all.merge(provided) { $1 } }
        if let own = event.metadata { all.merge(own) { $1 } }
        var fields = all.sorted { $0.key < $1.key }.map { ($0.key, redaction.text(of: $0.value, under: $0.key)) }
        if let error = event.error { fields.append(("error", redaction.clean(Self.words(error)))) }
        let message = redaction.clean(event.message.description)
        write(line(event.level, message, fields))
    }

    /// One event as it is written, with its newline.
    func line(_ level: Logger.Level, _ message: String, _ fields: [(String, String)]) -> String {
        (json ? jsonLine(level, message, fields) : textLine(level, message, fields)) + "\n"
    }

    /// An error's sentence; of a foreign one the type only, since it may quote what it choked on.
    private static func words(_ error: any Error) -> String {
        (error as? VaultError)?.description ?? "\(type(of: error))"
    }

    private func jsonLine(_ level: Logger.Level, _ message: String, _ fields: [(String, String)]) -> String {
        let taken: Set = ["time", "level", "message", "label"]
        var pairs = [
            ("time", clock.now().iso8601Milliseconds), ("level", level.rawValue), ("message", message),
            ("label", label),
        ]
        pairs += fields.map { (taken.contains($0.0) ? "meta.\($0.0)" : $0.0, $0.1) }
        return "{" + pairs.map { "\(JSONText.quote($0.0)):\(JSONText.quote($0.1))" }.joined(separator: ",") + "}"
    }

    private func textLine(_ level: Logger.Level, _ message: String, _ fields: [(String, String)]) -> String {
        let time = clock.now().iso8601.dropFirst(11).prefix(8)
        let name = level.rawValue + String(repeating: " ", count: max(0, 8 - level.rawValue.count))
        let tail = fields.map { name, value in
            value.contains { $0 == " " } ? " \(name)=\"\(value)\"" : " \(name)=\(value)"
        }
        return Terminal.plain("\(time) \(name) \(message)" + tail.joined())
    }
}

extension Redaction {
    /// A metadata value as text, nested ones too, without secrets.
    fileprivate func text(of value: Logger.Metadata.Value, under name: String) -> String {
        switch value {
        case .string(let text): drops(name, text) ? Self.mark : clean(text)
        case .stringConvertible(let number as Int64): drops(name, "") ? Self.mark : String(number)
        case .stringConvertible(let number as Int): drops(name, "") ? Self.mark : String(number)
        case .stringConvertible(let thing): drops(name, thing.description) ? Self.mark : clean(thing.description)
        case .array(let items):
            drops(name, "") ? Self.mark : "[" + items.map { text(of: $0, under: name) }.joined(separator: ", ") + "]"
        case .dictionary(let items):
            items.sorted { $0.key < $1.key }.map { "\($0.key)=\(text(of: $0.value, under: $0.key))" }
                .joined(separator: " ")
        }
    }
}

/// JSON strings (RFC 8259 §7), written by hand: a log line must not cost an encoder.
enum JSONText {
    static func quote(_ text: String) -> String {
        // Nearly every text is plain, and then it is copied at once.
        if text.utf8.allSatisfy({ (0x20..<0x7F).contains($0) && $0 != 0x22 && $0 != 0x5C }) { return "\"\(text)\"" }
        var out = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case "\n": out += "\\n"
            case "\t": out += "\\t"
            case "\r": out += "\\r"
            case _ where scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) || scalar.value == 0x2028:
                let digits = String(scalar.value, radix: 16)
                out += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out + "\""
    }
}

extension Timestamp {
    /// `2026-11-23T13:08:15.042Z`
    var iso8601Milliseconds: String {
        let part = ((rawValue % 1000) + 1000) % 1000
        let digits = String(part)
        return iso8601.dropLast() + "." + String(repeating: "0", count: 3 - digits.count) + digits + "Z"
    }
}
