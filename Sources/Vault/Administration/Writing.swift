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
            setTimes(of: &connection, now: now)
            connections.append(connection)
        }
        let written = connections
        try await vault.records.write { transaction in
            for connection in written { try Self.put(connection, transaction) }
        }
        for platform in unknown.sorted() {
            try await event(.notice("no platform is configured as \(platform): its connections wait until one is"))
        }
        try await event(.written(written.count))
    }

    /// When the grant ends and when refresh-ahead looks at it: by what was given, else by the provider's
    /// limit from consent; never later than the operator's.
    func setTimes(of connection: inout Connection, now: Timestamp) {
        let platform = vault.platforms.entries.first { $0.name == connection.platform }?.platform
        let description =
            platform?.provider.description ?? ProviderDescription(id: "unknown", displayName: "", issuer: "")
        var ends = [connection.endsAt].compactMap { $0 }
        if ends.isEmpty, let seconds = description.absoluteLifetime {
            ends.append(connection.consentedAt + .seconds(seconds))
        }
        if let lifetime = vault.options.recordLifetime { ends.append(connection.consentedAt + lifetime) }
        connection.endsAt = ends.min()
        connection.dueAt = Lifetimes(options: vault.options, description: description).due(connection, now: now)
    }

    static func put(_ connection: Connection, _ transaction: RecordsTransaction) throws {
        var connection = connection
        if let old = try transaction.connection(connection.user, connection.platform) {
            // A refresh in flight must see that its generation is over.
            connection.generation = max(connection.generation, old.generation + 1)
        }
        if !connection.subject.isEmpty {
            let owner = try transaction.user(of: connection.subject, at: connection.platform)
            guard owner == nil || owner == connection.user else {
                throw VaultError(
                    .accountInUse,
                    "the account of \(connection.user) at \(connection.platform) belongs to another user here",
                    hint: "disconnect it there first, or leave subject out")
            }
            try transaction.setUser(connection.user, of: connection.subject, at: connection.platform)
        }
        try transaction.endRedemption(connection.user, connection.platform)
        try transaction.put(connection, expecting: nil)
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
