/// What went wrong, to what, and what to do next.
///
/// The code is for programs and never changes its meaning; the message is for people: lower case, no
/// full stop, naming the thing; the hint is the next step. None of them ever holds a token, a key, a
/// passphrase or a code; the cause is for the log and is held to the same rule.
public struct VaultError: Error, Sendable, CustomStringConvertible {
    /// What kind of failure this is.
    public var code: Code
    /// What happened, to what.
    public var message: String
    /// What to do next, when there is something to do.
    public var hint: String?
    /// When it makes sense to try again, where the other side said so.
    public var retryAfter: Duration?
    /// The failure beneath, for the log.
    public var cause: (any Error)?

    public init(
        _ code: Code, _ message: String, hint: String? = nil, retryAfter: Duration? = nil,
        cause: (any Error)? = nil
    ) {
        self.code = code
        self.message = message
        self.hint = hint
        self.retryAfter = retryAfter
        self.cause = cause
    }

    /// `message`, then the hint in parentheses.
    public var description: String {
        guard let hint else { return message }
        return "\(message) (\(hint))"
    }

    /// A stable name for a kind of failure; it appears as `code` in problem+json.
    ///
    /// A struct over a private name, so that a kind can be added without breaking a `switch`.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        /// The name as it stands in answers and logs, for example `no-connection`.
        public let name: String
        public var description: String { name }

        package init(_ name: String) { self.name = name }
    }
}
