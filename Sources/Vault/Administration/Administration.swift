public import VaultBase

/// What the command line does to a vault; one implementation works on the store, one through a running
/// server's socket, so a command has one code path.
public protocol Administration: Sendable {
    /// Performs `command`, handing over what it has to say as it goes.
    ///
    /// - Throws: ``VaultError``, the same by either implementation.
    func perform(
        _ command: AdministrativeCommand, _ event: @escaping @Sendable (AdministrativeEvent) async throws -> Void
    ) async throws
}

/// A command, as it travels over the socket (JSON).
public enum AdministrativeCommand: Codable, Sendable {
    case status
}

/// One thing a command has to say.
public enum AdministrativeEvent: Codable, Sendable {
    case progress(done: Int, total: Int)
}
