public import VaultBase

extension OpenBackup {
    /// One user's connections as they were, once the whole backup was verified.
    ///
    /// Those that were being refreshed when the backup was made are `uncertain`. What had ended then is not
    /// among them.
    ///
    /// - Throws: what ``verify(progress:)`` throws; `conflict` when the first file is an increment; `not-found`
    ///   when the backup has no connection of the user.
    public func connections(
        of user: UserID, progress: (_ done: Int, _ total: Int) -> Void
    ) throws -> (Backup.Manifest, [Connection]) {
        try checkBeginning()
        let prefix = Key.records(of: user)
        var found: [[UInt8]: (Connection, endsAt: Int64)] = [:]
        let contents = try contents { done, entry in
            progress(done, entries)
            guard let entry, entry.table == .records, entry.key.starts(with: prefix) else { return }
            let key = Array(entry.key)
            found[key] = nil
            if case .connection(let connection)? = entry.opened?.content {
                found[key] = (connection, entry.opened?.header.endsAt ?? 0)
            }
        }
        guard let last = contents.last else { throw VaultState.damaged }
        let connections = found.sorted { $0.key.lexicographicallyPrecedes($1.key) }.compactMap { entry -> Connection? in
            var connection = entry.value.0
            guard entry.value.endsAt == 0 || entry.value.endsAt > last.state.clock.rawValue else { return nil }
            if connection.mayBeSpent,
                last.unfinished.contains(ConnectionName(user: connection.user, platform: connection.platform))
            {
                connection.health = .uncertain
            }
            return connection
        }
        guard !connections.isEmpty else {
            throw VaultError(.notFound, "the backup has no connection of \(user)", hint: "try an older one")
        }
        return (last.manifest, connections)
    }
}
