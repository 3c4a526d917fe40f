import Logging
import VaultBase
import VaultRecords

// What a check offers, and only a person can decide.

extension LocalAdministration {
    func recount(_ event: @escaping @Sendable (AdministrativeEvent) async throws -> Void) async throws {
        let result = try await vault.records.recount()
        if result.changed {
            vault.logger.warning("vault.recounted", metadata: ["values": "\(result.values)"])
        }
        try await event(.recounted(RecountDocument(values: result.values, changed: result.changed)))
    }

    func acceptClock(_ event: @escaping @Sendable (AdministrativeEvent) async throws -> Void) async throws {
        let ahead = Int(try await vault.records.acceptClock().milliseconds / 1000)
        vault.logger.warning("clock.accepted", metadata: ["seconds": "\(ahead)"])
        try await event(.clock(ClockDocument(ahead: ahead)))
    }
}
