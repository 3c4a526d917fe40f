import Logging
public import VaultBase
import VaultCrypto
public import VaultRecords

extension Vault {
    /// A new session for the user and its JWT; what `vault session issue` and a finished login give.
    public func issueSession(for user: UserID) async throws -> IssuedSession {
        let session = newSession(for: user)
        let token = try token(for: session)
        try await records.write { try $0.put(session) }
        logger.info("session.issued", metadata: ["user": "\(user)"])
        return IssuedSession(record: session, token: token)
    }

    /// Checks a JWT (`typ`, `alg`, `kid`, signature, `iss`, `aud`, `exp`, `iat`, `jti`) and that its session is
    /// still in the store.
    /// - Throws: `unauthorized`, always with the same words for every reason a forger could learn from.
    public func session(_ token: Secret) throws -> SessionRecord {
        let session = try heldSession(token)
        observation.sessionChecked(session != nil)
        guard let session else { throw Self.noSession }
        return session
    }

    /// The session of a JWT that holds.
    func heldSession(_ token: Secret) throws -> SessionRecord? {
        guard let claims = sessionTokens.claims(of: token, now: records.clock.now(), latest: records.now),
            let session = try records.read({ try $0.session(claims.id) }), session.user.rawValue == claims.subject
        else { return nil }
        return session
    }

    /// What everybody may verify sessions with; empty where they are signed with HS256.
    public var publishedSessionKeys: [PublicSessionKey] { sessionTokens.published }

    /// A new session for the same user; the old one ends.
    public func renew(_ session: SessionRecord) async throws -> IssuedSession {
        // Two tabs that renew at the same moment get the same successor.
        let successor = try await renewals.join(session.id) { [records, self] in
            let successor = newSession(for: session.user)
            try await records.write(for: .saving) { transaction in
                guard try transaction.session(session.id)?.user == session.user else { throw Self.noSession }
                try transaction.deleteSession(session.id)
                try transaction.put(successor)
            }
            return successor
        }
        let token = try token(for: successor)
        logger.info("session.renewed", metadata: ["user": "\(session.user)"])
        return IssuedSession(record: successor, token: token)
    }

    /// Logs out: the session is worth nothing from now on.
    public func revoke(_ session: SessionRecord) async throws {
        try await records.write { try $0.deleteSession(session.id) }
        logger.info("session.revoked", metadata: ["user": "\(session.user)"])
    }

    func newSession(for user: UserID) -> SessionRecord {
        let now = records.now
        return SessionRecord(
            id: Random.token(bytes: 16), user: user, createdAt: now, endsAt: now + options.sessionLifetime)
    }

    /// The JWT of a session. Others verify it too, so its times are the wall clock's.
    func token(for session: SessionRecord) throws(VaultError) -> Secret {
        try sessionTokens.token(
            for: session, issuedAt: records.clock.now(), expiresAt: records.outside(session.endsAt))
    }

    static var noSession: VaultError {
        VaultError(.unauthorized, "there is no valid session", hint: "log in again")
    }
}
