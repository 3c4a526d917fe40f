/// Sets of scopes as they are written: separated by spaces (RFC 6749 §3.3).
enum Scope {
    /// What `granted` lacks of `asked`, in the order asked; nil when nothing is missing or nothing was said.
    static func missing(_ granted: String?, of asked: String) -> String? {
        guard let granted else { return nil }
        let has = Set(granted.split(separator: " "))
        let missing = asked.split(separator: " ").filter { !has.contains($0) }
        return missing.isEmpty ? nil : missing.joined(separator: " ")
    }
}
