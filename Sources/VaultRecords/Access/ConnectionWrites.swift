public import VaultBase
import VaultCrypto
import VaultStore

extension RecordsTransaction {
    /// What stands where a connection is to be written or removed.
    private struct Standing {
        var stamp: Stamp?
        var version: UInt64
        var endsAt: Int64
        var agenda: [(Agenda, Timestamp)] = []
        /// The whole connection, where it was asked for.
        var connection: Connection?
        /// Whether it opened; if not, what it says of itself counts for nothing.
        var isSound: Bool
    }

    /// Writes the connection and moves its index entries; returns its new version.
    ///
    /// A record that does not open is replaced like any other when no version is expected. The version
    /// the connection carries is not looked at.
    ///
    /// - Parameter expected: the version that must still be there; 0 for "there must be none", nil for any.
    ///   A record that has ended is not there.
    /// - Throws: `conflict` when it is another; `bad-request` when it is longer than a record can be.
    @discardableResult
    public func put(_ connection: Connection, expecting expected: UInt64?) throws -> UInt64 {
        let name = ConnectionName(user: connection.user, platform: connection.platform)
        let key = Key.record(name.user, name.platform)
        let old = try standing(key, name, whole: false)
        if let expected {
            var present = old?.version ?? 0
            if let old, old.isSound, old.endsAt != 0, old.endsAt <= now.rawValue { present = 0 }
            if let old, !old.isSound {
                throw VaultError(.damaged, "the connection of \(name.user) at \(name.platform) does not open")
            }
            guard present == expected else {
                throw VaultError(
                    .conflict,
                    expected == 0
                        ? "\(name.user) has a connection at \(name.platform) already"
                        : "the connection of \(name.user) at \(name.platform) was changed meanwhile")
            }
        }
        return try change {
            let version = try replace(.records, key, old: old?.stamp, endsAt: connection.endsAt) {
                connection.write(&$0)
            }
            if let old { try unindex(old, key) }
            if let endsAt = connection.endsAt {
                try index(.expiry, Key.timed(max(1, endsAt.rawValue), nil, key), version)
            }
            for (agenda, time) in connection.agenda { try index(.due, agenda.key(time, key), version) }
            return version
        }
    }

    /// Removes the connection, its index entries, its journal entry and its identity; returns what was there.
    ///
    /// One that has ended or does not open is removed too, and is not returned.
    @discardableResult
    public func delete(_ user: UserID, _ platform: PlatformName) throws -> Connection? {
        let name = ConnectionName(user: user, platform: platform)
        let key = Key.record(user, platform)
        let old = try standing(key, name, whole: true)
        let hasIdentity = try stamp(.identities, Key.identity(of: user, at: platform)) != nil
        let hasJournal = try stamp(.journal, key) != nil
        guard old != nil || hasIdentity || hasJournal else { return nil }
        return try change {
            if let old {
                try remove(.records, key, old: old.stamp)
                try unindex(old, key)
            }
            try endRedemption(user, platform)
            try forgetIdentity(of: user, at: platform)
            guard let old, let connection = old.connection, old.endsAt == 0 || old.endsAt > now.rawValue else {
                return nil
            }
            return connection
        }
    }

    /// Removes every connection of the user, or the one at `only`, as ``delete(_:_:)`` does, also those that have ended
    /// or do not open; returns where they were.
    @discardableResult
    public func deleteConnections(of user: UserID, at only: PlatformName? = nil) throws -> [PlatformName] {
        if let only {
            let isThere = try stamp(.records, Key.record(user, only)) != nil
            try delete(user, only)
            return isThere ? [only] : []
        }
        let prefix = Key.records(of: user)
        var platforms: [PlatformName] = []
        // Collected first: a scan may not write to the table it walks.
        try transaction.scan(.records, from: prefix.span.bytes) { key, _ in
            key.withUnsafeBytes { key in
                guard key.starts(with: prefix) else { return false }
                if let name = Key.names(key) { platforms.append(name.platform) }
                return true
            }
        }
        for platform in platforms { try delete(user, platform) }
        return platforms
    }

    /// Removes a record whose lifetime has ended; its identity stays, so that the same account finds its
    /// user again.
    func removeEnded(_ name: ConnectionName, _ key: [UInt8]) throws {
        // One that does not open stays for whoever looks at the damage.
        guard let old = try standing(key, name, whole: false), old.isSound else { return }
        try change {
            try remove(.records, key, old: old.stamp)
            try unindex(old, key)
            try endRedemption(name.user, name.platform)
        }
    }

    private func unindex(_ old: Standing, _ key: [UInt8]) throws {
        guard old.isSound else {
            try unindex(.expiry, wherever: key)
            try unindex(.due, wherever: key)
            return
        }
        if old.endsAt != 0 { try unindex(.expiry, Key.timed(old.endsAt, nil, key)) }
        for (agenda, time) in old.agenda { try unindex(.due, agenda.key(time, key)) }
    }

    private func standing(_ key: [UInt8], _ name: ConnectionName, whole: Bool) throws -> Standing? {
        try transaction.get(key.span.bytes, in: .records) { value in
            value.withUnsafeBytes { value in
                let stamp = Stamp(value)
                do {
                    let header = try Envelope.header(of: value)
                    var standing = Standing(
                        stamp: stamp, version: header.version, endsAt: header.endsAt, isSound: true)
                    try key.withUnsafeBytes { key in
                        try Envelope.open(value, header: header, under: key, of: .records, keys: keys) { payload in
                            standing.agenda = try Connection.agenda(payload)
                            if whole { standing.connection = try Connection(payload, name, header) }
                        }
                    }
                    return standing
                } catch {
                    return Standing(stamp: stamp, version: 0, endsAt: 0, isSound: false)
                }
            }
        }
    }
}
