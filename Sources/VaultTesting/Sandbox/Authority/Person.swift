/// Somebody with an account at the sandbox: anybody who gives a name.
struct Person {
    /// The account's name: letters, digits, `.`, `-` and `_`, at most 64, lower case.
    let user: String

    init(_ user: String) { self.user = user }

    /// The account of what somebody typed; nil when it cannot be a name.
    init?(typed name: some StringProtocol) {
        let lowered = name.lowercased()
        let allowed = lowered.utf8.allSatisfy {
            (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || [0x2E, 0x2D, 0x5F].contains($0)
        }
        guard (1...64).contains(lowered.utf8.count), allowed else { return nil }
        user = lowered
    }

    /// Never changes and belongs to nobody else: what a client links accounts by.
    var subject: String { "sandbox-\(user)" }
    var email: String { "\(user)@sandbox.example" }
    var name: String { Self.known.first { $0.user == user }?.name ?? user.prefix(1).uppercased() + user.dropFirst() }
    var initials: String { name.split(separator: " ").prefix(2).map { $0.prefix(1) }.joined().uppercased() }

    /// Whom the login page offers.
    static let known: [(user: String, name: String)] = [
        ("ada", "Ada Lovelace"), ("clara", "Clara Schumann"), ("duke", "Duke Ellington"),
    ]
}
