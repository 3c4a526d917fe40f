import VaultBase

/// One setting: its place in the file, its form, its default and what it is for.
///
/// The place gives it its other names too: `store.path` is `VAULT_STORE_PATH` in the environment and
/// `--store-path` on the command line.
struct Setting<Value: Sendable>: AnySetting {
    let path: String
    let literal: String
    let doc: String
    let form: SettingForm<Value>
    /// The default, read once: TOMLKit never gives back the memory that a text took.
    let standard: RawValue?

    /// - Parameter literal: the default, as it stands in vault.conf.
    init(_ path: String, _ form: SettingForm<Value>, default literal: String, _ doc: String) {
        self.path = path
        self.form = form
        self.literal = literal
        self.doc = doc
        standard = RawValue(literal: literal)
    }

    var expects: String { form.words }
    func accepts(_ raw: RawValue) -> Bool { form.read(raw) != nil }
}

/// A setting of any type.
protocol AnySetting: Sendable {
    var path: String { get }
    /// The default, as it stands in vault.conf.
    var literal: String { get }
    var doc: String { get }
    var expects: String { get }
    func accepts(_ raw: RawValue) -> Bool
}

extension AnySetting {
    /// `VAULT_STORE_PATH`
    var environmentName: String { "VAULT_" + EnvironmentNames.upper(path) }
    /// `--store-path`
    var optionName: String { "--" + path.map { $0 == "." ? "-" : String($0) }.joined() }
}

/// Where a value came from, the strongest last.
enum SettingOrigin: Sendable, Equatable {
    case standard
    case file(String, line: Int)
    case environment(String)
    case option(String)

    /// Begins an error: the place to go to.
    var words: String {
        switch self {
        case .standard: "default"
        case .file(let name, let line): "\(name):\(line)"
        case .environment(let name): name
        case .option(let name): name
        }
    }
}

/// A value and where it came from.
struct SettingEntry: Sendable, Equatable {
    var raw: RawValue
    var origin: SettingOrigin
}
