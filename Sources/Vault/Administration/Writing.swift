import VaultBase
import VaultProviders
import VaultRecords

extension LocalAdministration {
    /// Sets the connections in one transaction: all of them, or none and the first error.
    func put(
        _ documents: [ConnectionDocument], _ event: @escaping @Sendable (AdministrativeEvent) async throws -> Void
    ) async throws {
        guard documents.count <= AdministrativeCommand.importLimit else {
            throw VaultError(
                .badRequest, "\(documents.count) connections are more than \(AdministrativeCommand.importLimit)",
                hint: "send them in parts")
        }
        let now = vault.records.clock.now()
        var connections: [Connection] = []
        var unknown: Set<PlatformName> = []
        for document in documents {
            let platform = try PlatformName(document.platform)
            if clientIDs[platform] == nil { unknown.insert(platform) }
            var connection = try document.connection(now: now, clientID: clientIDs[platform] ?? "")
            vault.setTimes(of: &connection, now: now)
            connections.append(connection)
        }
        let written = connections
        try await vault.records.write { transaction in
            for connection in written { try Vault.put(connection, transaction) }
        }
        for platform in unknown.sorted() {
            try await event(.notice("no platform is configured as \(platform): its connections wait until one is"))
        }
        try await event(.written(written.count))
    }

    /// Deletes one connection, or all of the user and its sessions.
    func delete(_ user: UserID, _ platform: PlatformName?) async throws -> DeletionDocument {
        let deleted = try await vault.records.write { transaction in
            if let platform {
                let was = try transaction.delete(user, platform)
                return DeletionDocument(connections: was == nil ? 0 : 1, sessions: 0)
            }
            return DeletionDocument(
                connections: try transaction.deleteConnections(of: user),
                sessions: try transaction.deleteSessions(of: user))
        }
        guard deleted.connections + deleted.sessions > 0 else {
            throw VaultError(
                .noConnection,
                platform.map { "\(user) has no connection at \($0)" } ?? "\(user) has no connection here",
                hint: "see what there is with: vault connections")
        }
        return deleted
    }
}
