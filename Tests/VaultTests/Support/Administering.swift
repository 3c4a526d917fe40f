import Synchronization

@testable import Vault

extension World {
    /// Commands on its vault, without a server.
    var administration: LocalAdministration { LocalAdministration(vault: vault, plugins: [], clientIDs: [:]) }
}

extension LocalAdministration {
    /// All that a command says.
    func all(_ command: AdministrativeCommand) async throws -> [AdministrativeEvent] {
        let said = Mutex<[AdministrativeEvent]>([])
        try await perform(command) { event in said.withLock { $0.append(event) } }
        return said.withLock { $0 }
    }
}
