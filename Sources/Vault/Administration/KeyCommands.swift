import Logging
import ServiceLifecycle
import VaultBase
import VaultRecords

extension LocalAdministration {
    func keys(_ event: @escaping @Sendable (AdministrativeEvent) async throws -> Void) async throws {
        let id = try vault.records.status().vaultID
        for slot in vault.records.keySlots() { try await event(.key(KeyDocument(slot, vault: id))) }
    }

    /// Says a key, and that something happened to it.
    func told(_ slot: KeySlot, _ what: String) throws -> AdministrativeEvent {
        vault.logger.notice("\(what)", metadata: ["key": "\(slot.id.prefix(8))", "kind": "\(slot.kind.rawValue)"])
        return .key(KeyDocument(slot, vault: try vault.records.status().vaultID))
    }

    func rotate(_ event: @escaping @Sendable (AdministrativeEvent) async throws -> Void) async throws {
        let records = vault.records
        vault.logger.notice("rotation.begun")
        let result = try await Self.telling(event) { step in
            guard servingSince != nil else { return try await records.rotate(progress: step) }
            do {
                // A server that is told to stop does not wait for the last of a million records.
                return try await cancelWhenGracefulShutdown { try await records.rotate(progress: step) }
            } catch is CancellationError {
                throw VaultError(
                    .unavailable, "the server stops, and the rotation with it", hint: "go on later with: vault rotate")
            }
        }
        vault.logger.notice(
            result.damaged.isEmpty ? "rotation.finished" : "rotation.stopped",
            metadata: [
                "term": "\(result.term)", "resealed": "\(result.resealed)", "damaged": "\(result.damaged.count)",
            ])
        try await event(.rotation(RotationDocument(records.rotationStatus(), result)))
    }
}
