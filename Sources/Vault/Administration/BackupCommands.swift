import VaultBase
import VaultProviders
import VaultRecords

extension LocalAdministration {
    func backup(
        _ order: BackupOrder, _ event: @escaping @Sendable (AdministrativeEvent) async throws -> Void
    ) async throws {
        guard order.path.hasPrefix("/") else {
            throw VaultError(.badRequest, "a backup needs an absolute path", hint: "begin it with /")
        }
        let recipients = try order.recipients.map { document throws(VaultError) in try document.recipient() }
        let since = try since(order)
        // Who reads a stream wants a backup in any case.
        if let since, order.isKept, try vault.records.chainPoint() == since {
            // What there is holds the whole vault: it is as good as one that was made now.
            if let last = try vault.records.last(.backup), last.end == since {
                try await vault.noteBackup(last.file, at: vault.records.clock.now(), end: since)
            }
            return try await event(
                .notice("nothing changed since the backup that ended at \(since.words): there is nothing to write"))
        }
        let manifest = try await Self.telling(event) { [vault] step in
            try await vault.backUp(
                to: order.path, for: recipients, since: since, isKept: order.isKept, progress: step)
        }
        try await event(.backup(BackupDocument(manifest, file: order.path)))
    }

    /// Where an increment begins; nil for a full backup.
    private func since(_ order: BackupOrder) throws -> ChainPoint? {
        guard order.isIncrement else { return nil }
        if let since = order.since { return try since.point() }
        guard let last = try vault.records.last(.backup) else {
            throw VaultError(
                .conflict, "there is no backup yet that an increment could follow",
                hint: "write a full one first: vault backup FILE")
        }
        return last.end
    }

    func note(_ drill: DrillDocument) async throws {
        let mark = BackupMark(
            at: vault.records.clock.now(), end: try drill.end.point(), isGood: drill.good, file: drill.file)
        try await vault.records.note(mark, of: .drill)
        try vault.measureBackups()
    }

    /// Puts connections back as they were in a backup.
    ///
    /// One that the vault has in the same generation or a later one stays as it is, unless it is to be
    /// overwritten: its refresh token is the newer one. A refresh token that can be used once only may have
    /// been used since: the connection becomes `uncertain`.
    func restore(
        _ documents: [ConnectionDocument], overwrite: Bool,
        _ event: @escaping @Sendable (AdministrativeEvent) async throws -> Void
    ) async throws {
        guard documents.count <= AdministrativeCommand.importLimit else {
            throw VaultError(.badRequest, "\(documents.count) connections are too many for one user")
        }
        let now = vault.records.now
        var connections: [Connection] = []
        for document in documents {
            var connection = try document.connection(now: now, clientID: document.clientId ?? "")
            if connection.mayBeSpent, isSingleUse(connection.platform) { connection.health = .uncertain }
            vault.setTimes(of: &connection, now: now)
            connections.append(connection)
        }
        let (wanted, teller) = (connections, vault.teller)
        let outcomes = try await vault.records.write { transaction in
            try wanted.map { connection in
                let outcome = try Self.restore(connection, overwrite: overwrite, transaction)
                if outcome.outcome != "kept" {
                    try teller.tellBrought(
                        connection, by: Teller.operatorName, doubt: RestoreNews.reason, in: transaction)
                }
                return outcome
            }
        }
        teller.ring()
        for outcome in outcomes { try await event(.restored(outcome)) }
    }

    private static func restore(
        _ connection: Connection, overwrite: Bool, _ transaction: RecordsTransaction
    ) throws -> RestoredDocument {
        var answer = RestoredDocument(
            user: connection.user.rawValue, platform: connection.platform.rawValue,
            outcome: connection.health == .uncertain ? "uncertain" : "restored")
        if !overwrite, let present = try transaction.connection(connection.user, connection.platform),
            present.generation >= connection.generation || present.consentedAt > connection.consentedAt
        {
            answer.outcome = "kept"
            answer.reason =
                present.generation == connection.generation && present.accessToken == connection.accessToken
                ? "it is the same" : "the vault has a newer one; --overwrite puts the old one in its place"
            return answer
        }
        try Vault.put(connection, transaction)
        return answer
    }

    /// A platform that is not known may be of that kind.
    private func isSingleUse(_ name: PlatformName) -> Bool {
        let platform = vault.platforms.entries.first { $0.name == name }?.platform
        return platform.map { $0.provider.description.refresh == .singleUse } ?? true
    }
}
