import VaultBase
import VaultCrypto
import VaultProviders
import VaultRecords

extension Vault {
    /// Stores connection, identity, session and the login's outcome, all or nothing.
    ///
    /// Whose connection it becomes:
    /// - a login that a session began links to that session's user, and is refused (`account-in-use`) when the
    ///   provider account belongs to somebody else here: it is never moved;
    /// - a login without a session finds the user the account belongs to, by the provider's id alone, or makes
    ///   one;
    /// - a user who already has another account at the platform keeps it: `other-account`. Replacing one account
    ///   by another takes a disconnect first, so that nobody's library is swapped by a browser that was logged
    ///   in as somebody else.
    func plant(_ harvest: Harvest, _ login: LoginRecord, _ callback: Callback) async throws -> LoginRecord.Outcome {
        let now = records.now
        // In hexadecimal: base64url may begin with a dash, which a command line takes for an option.
        let fresh = try UserID(Hex.encode(Random.bytes(16)))
        let sessionID = Random.token(bytes: 16)
        let minted = Random.token(bytes: 16)
        let (options, teller) = (options, teller)
        let outcome: LoginRecord.Outcome = try await records.write { transaction in
            let description = harvest.platform.provider.description
            let isMinted = description.accountID == .minted
            let owner =
                isMinted ? nil : try transaction.user(of: harvest.account.subject, at: login.platform)
            let user = login.user ?? owner ?? fresh
            if let owner, owner != user {
                return try transaction.end(login, callback, .failed(code: "account-in-use"))
            }
            let (existing, account) = try transaction.standing(user, login.platform)
            let subject = isMinted ? account ?? minted : harvest.account.subject
            if let account, account != subject {
                return try transaction.end(login, callback, .failed(code: "other-account"))
            }

            var connection = Connection(
                user: user, platform: login.platform, accessToken: harvest.grant.accessToken,
                // The operator's clock begins anew with every consent.
                createdAt: existing?.createdAt ?? now, updatedAt: now, consentedAt: now, subject: subject,
                displayName: harvest.account.displayName ?? existing?.displayName, clientID: login.clientID,
                generation: (existing?.generation ?? 0) + 1, version: existing?.version ?? 0)
            // RFC 6749 §5.1: a scope that is not named is the one that was asked for.
            connection.scope = login.scope
            if harvest.grant.refreshToken == nil, let existing, existing.isUsable(by: login.clientID) {
                // Some providers give a refresh token at the first consent only.
                connection.refreshToken = existing.refreshToken
            }
            Lifetimes(options: options, description: description).apply(harvest.grant, to: &connection, now: now)
            try transaction.put(connection, expecting: existing?.version)
            try transaction.setUser(user, of: subject, at: login.platform)
            try transaction.deleteRevocation(of: subject, at: login.platform, user)
            try teller.tell(.connected, connection, in: transaction)
            if let missing = Scope.missing(harvest.grant.scope, of: login.scope) {
                try teller.tell(.scopeNarrowed, connection, .init(missingScope: missing), in: transaction)
            }
            try transaction.endRedemption(user, login.platform)
            try transaction.put(
                SessionRecord(id: sessionID, user: user, createdAt: now, endsAt: now + options.sessionLifetime))
            return try transaction.end(login, callback, .connected(user: user, sessionID: sessionID))
        }
        teller.ring()
        if case .connected(let user, _) = outcome {
            refresher.forget(ConnectionName(user: user, platform: login.platform))
        }
        return outcome
    }
}

extension RecordsTransaction {
    /// The user's connection at the platform and whose account it is. A record that does not open is replaced
    /// like none, but its account still counts.
    fileprivate func standing(
        _ user: UserID, _ platform: PlatformName
    ) throws -> (Connection?, account: String?) {
        do {
            let connection = try connection(user, platform)
            return (connection, connection?.subject)
        } catch let error as VaultError where error.code == .damaged {
            return (nil, try? subject(of: user, at: platform))
        }
    }

    fileprivate func end(
        _ login: LoginRecord, _ callback: Callback, _ outcome: LoginRecord.Outcome
    ) throws -> LoginRecord.Outcome {
        try put(login.finished(callback, outcome))
        return outcome
    }
}

extension Connection {
    /// Whether the refresh token it holds is worth keeping.
    fileprivate func isUsable(by clientID: String) -> Bool {
        !health.isDead && refreshToken != nil && self.clientID == clientID
    }
}
