import Testing

/// A plugin that breaks one promise of the conformance kit.
struct WrongPromise: Sendable, CustomTestStringConvertible {
    /// The promise it breaks, and no other.
    var breaks: String
    var name: String
    var text: String
    var testDescription: String { "\(breaks): \(name)" }

    init(_ breaks: String, _ name: String, _ members: String, before: String = "", entry: String = "return &p;") {
        (self.breaks, self.name) = (breaks, name)
        text = Workshop.plugin(
            "wrong", members, before: "#include <stdlib.h>\n#include <string.h>\n#include <unistd.h>\n" + before,
            entry: entry)
    }

    static let all = byDescription + byHook
}
