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

    /// The same, and also a session that was renewed a moment ago: what ``renew(_:)`` and ``revoke(_:)`` take.
    public func sessionOrReplaced(_ token: Secret) throws -> SessionRecord {
        let session = try heldSession(token, orReplaced: true)
        observation.sessionChecked(session != nil)
        guard let session else { throw Self.noSession }
        return session
    }

    /// The session of a JWT that holds.
    func heldSession(_ token: Secret, orReplaced: Bool = false) throws -> SessionRecord? {
        guard let claims = sessionTokens.claims(of: token, now: records.clock.now(), latest: records.now),
            let session = try records.read({ try $0.sessionOrReplaced(claims.id) }),
            session.user.rawValue == claims.subject, orReplaced || session.successor == nil
        else { return nil }
        return session
    }

    /// What everybody may verify sessions with; empty where they are signed with HS256.
    public var publishedSessionKeys: [PublicSessionKey] { sessionTokens.published }

    /// How long who did not get the answer to a renewal may ask for the same successor again.
    static let renewalMemory = Duration.seconds(60)

    /// A new session for the same user; the old one ends, and is good for one thing more for a minute: the same
    /// successor once more, as long as that holds and was not renewed itself.
    public func renew(_ session: SessionRecord) async throws -> IssuedSession {
        // Two tabs that renew at the same moment get the same successor.
        let (successor, isNew) = try await renewals.join(session.id) { [records, self] in
            let next = newSession(for: session.user)
            return try await records.write(for: .saving) { transaction in
                guard var old = try transaction.sessionOrReplaced(session.id), old.user == session.user else {
                    throw Self.noSession
                }
                if let known = old.successor {
                    guard let successor = try transaction.session(known), successor.user == old.user else {
                        throw Self.noSession
                    }
                    return (successor, false)
                }
                old.successor = next.id
                old.endsAt = min(old.endsAt, transaction.now + Self.renewalMemory)
                try transaction.put(old)
                try transaction.put(next)
                return (next, true)
            }
        }
        let token = try token(for: successor)
        logger.info("session.renewed", metadata: ["user": "\(session.user)", "repeated": "\(!isNew)"])
        return IssuedSession(record: successor, token: token)
    }

    /// Logs out: the session is worth nothing from now on, nor is the one that took its place.
    public func revoke(_ session: SessionRecord) async throws {
        try await records.write { transaction in
            if let successor = try transaction.sessionOrReplaced(session.id)?.successor {
                try transaction.deleteSession(successor)
            }
            try transaction.deleteSession(session.id)
        }
        logger.info("session.revoked", metadata: ["user": "\(session.user)"])
    }

    /// The user's sessions that hold, the oldest first.
    public func sessions(of user: UserID) throws -> [SessionRecord] { try records.read { try $0.sessions(of: user) } }

    /// Logs the user out everywhere, or ends one session; the connections stay.
    ///
    /// - Parameters:
    ///   - id: that session's id, or the beginning of it that no other session of the user has.
    ///   - by: who asked.
    /// - Returns: how many sessions ended.
    /// - Throws: `not-found`, `bad-request` for an id that names no session, or several.
    public func endSessions(of user: UserID, id: String? = nil, by: String) async throws -> Int {
        let ended = try await records.write { transaction in
            guard let id else { return try transaction.deleteSessions(of: user) }
            let found = try transaction.sessions(of: user).filter { $0.id.hasPrefix(id) }
            guard let session = found.first else {
                throw VaultError(
                    .notFound, "\(user) has no session \(id)", hint: "see those there are: vault session list \(user)")
            }
            guard found.count == 1 else {
                throw VaultError(
                    .badRequest, "\(found.count) sessions of \(user) begin with \(id)", hint: "give more of the id")
            }
            try transaction.deleteSession(session.id)
            return 1
        }
        logger.notice("session.ended", metadata: ["user": "\(user)", "sessions": "\(ended)", "by": "\(by)"])
        return ended
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
