import VaultBase
import VaultProviders
import VaultRecords

extension LocalAdministration {
    /// Sets the connections in one transaction: all of them, or none and the first error.
    ///
    /// - Parameter isSilent: whether no event is told of it.
    func put(
        _ documents: [ConnectionDocument], isSilent: Bool = false,
        _ event: @escaping @Sendable (AdministrativeEvent) async throws -> Void
    ) async throws {
        guard documents.count <= AdministrativeCommand.importLimit else {
            throw VaultError(
                .badRequest, "\(documents.count) connections are more than \(AdministrativeCommand.importLimit)",
                hint: "send them in parts")
        }
        let now = vault.records.now
        var connections: [Connection] = []
        var unknown: Set<PlatformName> = []
        for document in documents {
            let platform = try PlatformName(document.platform)
            // One that came with the server, as the sandbox does, is in no settings.
            let clientID = clientIDs[platform] ?? (try? vault.platforms.platform(platform))?.clientID
            if clientID == nil { unknown.insert(platform) }
            var connection = try document.connection(now: now, clientID: clientID ?? "")
            vault.setTimes(of: &connection, now: now)
            connections.append(connection)
        }
        let (grants, teller) = (connections, vault.teller)
        try await vault.records.write { transaction in
            for grant in grants {
                let written = try Vault.put(grant, transaction)
                if !isSilent { try teller.tellBrought(written, by: Teller.operatorName, in: transaction) }
            }
        }
        teller.ring()
        for grant in grants { vault.refresher.forget(grant.name) }
        for platform in unknown.sorted() {
            try await event(.notice("no platform is configured as \(platform): its connections wait until one is"))
        }
        try await event(.written(grants.count))
    }

    /// Deletes one connection, or all of the user and its sessions.
    func delete(_ user: UserID, _ platform: PlatformName?) async throws -> DeletionDocument {
        let teller = vault.teller
        let (deleted, sessions) = try await vault.records.write(for: .shrinking) { transaction in
            let deleted = try transaction.deleteConnections(of: user, at: platform)
            let sessions = platform == nil ? try transaction.deleteSessions(of: user) : 0
            for platform in deleted {
                // Nobody asked the provider, so nothing was revoked there.
                let facts = EventRecord.Facts(revoked: "no", by: Teller.operatorName)
                try teller.tell(.revoked, ConnectionName(user: user, platform: platform), facts, in: transaction)
            }
            return (deleted, sessions)
        }
        teller.ring()
        for platform in deleted { vault.refresher.forget(ConnectionName(user: user, platform: platform)) }
        guard deleted.count + sessions > 0 else {
            throw VaultError(
                .noConnection,
                platform.map { "\(user) has no connection at \($0)" } ?? "\(user) has no connection here",
                hint: "see what there is with: vault connections")
        }
        return DeletionDocument(connections: deleted.count, sessions: sessions)
    }
}
