import VaultBase
import VaultProviders
public import VaultRecords

// Grants that were obtained elsewhere.

extension Vault {
    /// Sets a connection from a grant that the caller has: the platform must be configured, and the grant one of our
    /// registration there.
    ///
    /// - Parameter by: who brings it, for the event.
    /// - Throws: `bad-request` naming the field, `no-platform`, `platform-unavailable`, `account-in-use`.
    public func put(_ document: ConnectionDocument, by: String) async throws -> Connection {
        let platform = try platforms.platform(PlatformName(document.platform))
        let now = records.now
        var connection = try document.connection(now: now, clientID: platform.clientID)
        guard connection.clientID == platform.clientID else {
            throw VaultError(
                .badRequest, "clientId is not that of \(platform.name) here",
                hint: "a refresh token works with the registration it was given to, and no other")
        }
        setTimes(of: &connection, now: now)
        let (grant, teller) = (connection, teller)
        let written = try await records.write { transaction in
            let written = try Self.put(grant, transaction)
            try teller.tellBrought(written, by: by, in: transaction)
            return written
        }
        teller.ring()
        refresher.forget(written.name)
        return shown(written, now: now)
    }

    /// When the grant ends and when refresh-ahead looks at it: by what was given, else by the provider's
    /// limit from consent; never later than the operator's.
    func setTimes(of connection: inout Connection, now: Timestamp) {
        let platform = platforms.entries.first { $0.name == connection.platform }?.platform
        let description =
            platform?.provider.description ?? ProviderDescription(id: "unknown", displayName: "", issuer: "")
        var ends = [connection.endsAt].compactMap { $0 }
        if ends.isEmpty, let seconds = description.absoluteLifetime {
            ends.append(connection.consentedAt + .seconds(seconds))
        }
        if let lifetime = options.recordLifetime { ends.append(connection.consentedAt + lifetime) }
        connection.endsAt = ends.min()
        let lifetimes = Lifetimes(options: options, description: description)
        connection.dueAt = lifetimes.due(connection, now: now)
        connection.clockAt = lifetimes.clock(connection, after: nil, life: nil, now: now)
        connection.validateAt = lifetimes.validation(connection, now: now)
    }

    /// Writes the connection over whatever is there; as it is then.
    @discardableResult
    static func put(_ connection: Connection, _ transaction: RecordsTransaction) throws -> Connection {
        var connection = connection
        do {
            if let old = try transaction.connection(connection.user, connection.platform) {
                // A refresh in flight must see that its generation is over.
                connection.generation = max(connection.generation, old.generation + 1)
            }
        } catch let error as VaultError where error.code == .damaged {
            // What does not open is replaced: that is what a check advises.
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
            try transaction.deleteRevocation(of: connection.subject, at: connection.platform, connection.user)
        }
        try transaction.endRedemption(connection.user, connection.platform)
        connection.version = try transaction.put(connection, expecting: nil)
        return connection
    }
}
