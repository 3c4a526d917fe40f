import VaultBase
import VaultProviders

/// What a setting's value looks like, and how it is read.
struct SettingForm<Value: Sendable>: Sendable {
    /// Ends the sentence "expects …".
    let words: String
    /// nil when the value is not of this form.
    let read: @Sendable (RawValue) -> Value?
}

extension SettingForm where Value == String {
    /// Any characters; the empty string is "not set".
    static var text: Self { Self(words: "a string in quotes") { $0.characters } }

    /// An absolute http or https address without user, query or fragment; empty for none.
    static var address: Self {
        Self(words: "an address like https://app.example.com") { raw in
            guard let text = raw.characters, text.isEmpty || WebAddress(text) != nil else { return nil }
            return text
        }
    }

    /// A path of the file system; `~/` is the home directory.
    static var path: Self { Self(words: "a path in quotes") { $0.characters.map(FilePath.expand) } }
}

extension SettingForm where Value == Bool {
    static var flag: Self {
        Self(words: "true or false, without quotes") { raw in
            switch raw {
            case .boolean(let flag): flag
            case .text("true"): true
            case .text("false"): false
            default: nil
            }
        }
    }
}

extension SettingForm where Value == Int {
    static func number(_ range: ClosedRange<Int>) -> Self {
        Self(words: "a whole number from \(range.lowerBound) to \(range.upperBound), without quotes") { raw in
            let number: Int? =
                switch raw {
                case .integer(let number): number
                case .text(let text): Int(text)
                default: nil
                }
            return number.flatMap { range.contains($0) ? $0 : nil }
        }
    }

    /// A size in bytes: a whole number of B, KiB, MiB, GiB or TiB.
    static func size(atLeast least: Int) -> Self {
        Self(words: "a size like 64MiB or 8GiB, \(Sizes.words(least)) at least") { raw in
            raw.characters.flatMap(Sizes.read).flatMap { $0 >= least ? $0 : nil }
        }
    }
}

extension SettingForm where Value == Duration {
    static func time(_ range: ClosedRange<Duration>) -> Self {
        Self(
            words: "a time like 90s, 15m, 2h or 30d, from \(Times.words(range.lowerBound)) to "
                + Times.words(range.upperBound)
        ) { raw in
            raw.characters.flatMap(Times.read).flatMap { range.contains($0) ? $0 : nil }
        }
    }
}

extension SettingForm where Value == Duration? {
    static func timeOrNever(atLeast least: Duration) -> Self {
        Self(words: "a time like 30d, \(Times.words(least)) at least, or \"never\"") { raw in
            guard let text = raw.characters else { return nil }
            if text == "never" { return .some(nil) }
            return Times.read(text).flatMap { $0 >= least ? $0 : nil }
        }
    }
}

extension SettingForm where Value == [String] {
    /// A list of strings; in the environment and on the command line, separated by commas.
    static var list: Self {
        Self(words: "a list of strings like [\"one\", \"two\"]") { raw in
            switch raw {
            case .list(let items): items
            case .text(""): []
            case .text(let text): text.split(separator: ",").map { String($0.trimmed) }
            default: nil
            }
        }
    }
}

extension SettingForm where Value == ListenAddress {
    static var listen: Self {
        Self(words: "an address and a port like 127.0.0.1:8000 or [::1]:8000") {
            $0.characters.flatMap { ListenAddress($0) }
        }
    }
}

extension SettingForm where Value == ListenAddress? {
    /// Where to listen, if at all; empty for nowhere.
    static var listenOrNot: Self {
        Self(words: "an address and a port like 0.0.0.0:80, or \"\" for none") { raw in
            guard let text = raw.characters else { return nil }
            if text.isEmpty { return .some(nil) }
            return ListenAddress(text).map { .some($0) }
        }
    }
}

extension SettingForm where Value == SecretReference? {
    /// Where a secret is; empty for none.
    static var secret: Self {
        Self(words: "a reference like file:/run/secrets/name, env:NAME, command:… or credential:NAME") { raw in
            guard let text = raw.characters else { return nil }
            return .some(text.isEmpty ? nil : SecretReference(text))
        }
    }
}

extension SettingForm where Value: CaseIterable & RawRepresentable, Value.RawValue == String {
    static var choice: Self {
        let names = Value.allCases.map(\.rawValue)
        return Self(words: "one of " + names.map { "\"\($0)\"" }.joined(separator: ", ")) {
            $0.characters.flatMap(Value.init(rawValue:))
        }
    }
}

extension SettingForm where Value == Isolation? {
    /// A choice, or empty for what holds for all.
    static var choiceOrNone: Self {
        let choice = SettingForm<Isolation>.choice
        return Self(words: "\(choice.words), or \"\"") { raw in
            raw.characters == "" ? .some(nil) : choice.read(raw).map { .some($0) }
        }
    }
}

extension RawValue {
    /// The characters of a string, wherever it was written.
    var characters: String? {
        switch self {
        case .string(let text), .text(let text): text
        default: nil
        }
    }
}
