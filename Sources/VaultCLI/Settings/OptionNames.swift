import ArgumentParser

/// Every setting is an option too: `--store-path X` is read as `--set store.path=X`.
enum OptionNames {
    /// The arguments with the settings' own options in that form; what comes after `--` is left alone.
    static func rewrite(_ arguments: [String]) -> [String] {
        var out: [String] = []
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            if argument == "--" { return out + [argument] + rest }
            let equals = argument.firstIndex(of: "=")
            let name = argument[..<(equals ?? argument.endIndex)]
            guard let setting = SettingTable.all.first(where: { $0.optionName == name }) else {
                out.append(argument)
                continue
            }
            if let equals {
                out += ["--set", "\(setting.path)=\(argument[argument.index(after: equals)...])"]
            } else if setting is Setting<Bool> {
                out += ["--set", "\(setting.path)=true"]
            } else if let value = rest.popFirst() {
                out += ["--set", "\(setting.path)=\(value)"]
            } else {
                out.append(argument)
            }
        }
        return out
    }

    /// The command the arguments name, for `see: vault backup verify --help`, and the subcommand that may have been meant
    /// by the word behind it.
    static func command(in arguments: [String]) -> (name: String, meant: String?) {
        var words = ["vault"]
        var commands = VaultProgram.configuration.subcommands
        for argument in arguments where !argument.hasPrefix("-") {
            guard let next = commands.first(where: { $0.configuration.commandName == argument }) else {
                let known = commands.map { $0.configuration }.filter(\.shouldDisplay).compactMap(\.commandName)
                return (words.joined(separator: " "), NearestName.of(argument, among: known))
            }
            words.append(argument)
            commands = next.configuration.subcommands
        }
        return (words.joined(separator: " "), nil)
    }
}
