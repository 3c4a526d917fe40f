public import VaultBase

/// A store's lock without the store: for whoever moves its directory and must know that nobody has it open.
public final class StoreClaim: Sendable {
    private let ownership: Ownership

    /// - Throws: `locked` with the number of the process that owns it.
    public init(at path: String) throws(VaultError) { ownership = try Ownership(of: path) }

    public func release() { ownership.release() }
}
