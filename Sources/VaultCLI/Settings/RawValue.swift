import TOMLKit
import VaultBase

/// A setting's value as it was written, before anybody knows what it should be.
enum RawValue: Sendable, Equatable {
    /// A quoted string of the file.
    case string(String)
    case integer(Int)
    case boolean(Bool)
    case list([String])
    /// Plain characters from the environment or the command line: they are what the setting says they are.
    case text(String)
    /// Something no setting is: a float, a date, a list of lists; in words.
    case other(String)

    /// How it is shown in an error.
    var words: String {
        switch self {
        case .string(let text), .text(let text): "\"\(text)\""
        case .integer(let number): "\(number)"
        case .boolean(let flag): "\(flag)"
        case .list(let items): "[\(items.map { "\"\($0)\"" }.joined(separator: ", "))]"
        case .other(let kind): kind
        }
    }

    /// Reads one value in the syntax of the file, such as `"8GiB"` or `["/"]`.
    init?(literal: String) {
        guard let table = try? TOMLTable(string: "value = \(literal)"), let value = table["value"] else { return nil }
        self.init(toml: value)
    }

    init(toml value: any TOMLValueConvertible) {
        if let text = value.string {
            self = .string(text)
        } else if let flag = value.bool, value.type == .bool {
            self = .boolean(flag)
        } else if let number = value.int, value.type == .int {
            self = .integer(number)
        } else if let array = value.array {
            var items: [String] = []
            for index in 0..<array.count {
                guard let text = array[index].string else {
                    self = .other("a list of something else than strings")
                    return
                }
                items.append(text)
            }
            self = .list(items)
        } else if value.table != nil {
            self = .other("a table")
        } else {
            self = .other("a \(value.type)")
        }
    }
}
