public import VaultBase
import VaultCrypto
import VaultStore

extension RecordsTransaction {
    /// Says whose the provider account is. A user has one account at a platform: another one it had
    /// there before is forgotten.
    ///
    /// - Throws: `account-in-use` when the account is another user's; `bad-request` when the subject is empty,
    ///   holds a NUL, or is over 255 bytes (OpenID Connect Core §2).
    public func setUser(_ user: UserID, of subject: String, at platform: PlatformName) throws {
        guard (1...255).contains(subject.utf8.count), !subject.utf8.contains(0) else {
            throw VaultError(.badRequest, "\(platform) names the account by an id that is not 1 to 255 bytes")
        }
        let key = Key.identity(subject, at: platform)
        if let owner = try self.user(of: subject, at: platform) {
            if owner == user { return }
            throw VaultError(.accountInUse, "the account at \(platform) belongs to another user")
        }
        try change {
            try forgetIdentity(of: user, at: platform)
            _ = try replace(.identities, key, old: stamp(.identities, key)?.stamp, endsAt: nil) {
                $0.field(1, user.rawValue)
            }
            let back = Key.identity(of: user, at: platform)
            _ = try replace(.identities, back, old: stamp(.identities, back)?.stamp, endsAt: nil) {
                $0.field(1, subject)
            }
        }
    }

    /// Removes the account by which `user` is known at `platform`.
    func forgetIdentity(of user: UserID, at platform: PlatformName) throws {
        let back = Key.identity(of: user, at: platform)
        guard let standing = try stamp(.identities, back) else { return }
        if let subject = try? subject(of: user, at: platform) {
            let key = Key.identity(subject, at: platform)
            if let entry = try stamp(.identities, key) { try remove(.identities, key, old: entry.stamp) }
        }
        try remove(.identities, back, old: standing.stamp)
    }

    public func put(_ session: SessionRecord) throws {
        let key = Key.session(session.id, keys)
        let old = try stamp(.sessions, key)
        try change {
            if let old { try unindex(.expiry, Key.timed(old.endsAt, SealedTable.sessions.mark, key)) }
            let version = try replace(.sessions, key, old: old?.stamp, endsAt: session.endsAt) { session.write(&$0) }
            try index(.sessions, Key.session(key, of: session.user, keys), version)
            try index(
                .expiry, Key.timed(max(1, session.endsAt.rawValue), SealedTable.sessions.mark, key), version)
        }
    }

    public func deleteSession(_ id: String) throws {
        let key = Key.session(id, keys)
        guard let old = try stamp(.sessions, key) else { return }
        // Ended or not, its user's index entry goes with it.
        let user = try owner(key)
        try change { try removeSession(key, of: user, old) }
    }

    /// Logs the user out everywhere; returns how many sessions there were that held.
    @discardableResult
    public func deleteSessions(of user: UserID) throws -> Int {
        let found = try sessionKeys(of: user)
        guard !found.isEmpty else { return 0 }
        return try change {
            var count = 0
            for key in found {
                if let old = try stamp(.sessions, key) {
                    let isReplaced = (try? session(at: key))?.successor != nil
                    try removeSession(key, of: user, old)
                    if old.endsAt > now.rawValue, !isReplaced { count += 1 }
                } else {
                    try unindex(.sessions, Key.session(key, of: user, keys))
                }
            }
            return count
        }
    }

    /// Logins begun that were not swept yet, finished and ended ones too.
    public var loginCount: Int { Int(clamping: state[.logins].count) }

    public func put(_ login: LoginRecord) throws {
        let key = Key.login(login.state, keys)
        let old = try stamp(.logins, key)
        try change {
            if let old { try unindex(.expiry, Key.timed(old.endsAt, SealedTable.logins.mark, key)) }
            let version = try replace(.logins, key, old: old?.stamp, endsAt: login.endsAt) { login.write(&$0) }
            try index(.expiry, Key.timed(max(1, login.endsAt.rawValue), SealedTable.logins.mark, key), version)
        }
    }

    public func deleteLogin(_ state: String) throws {
        let key = Key.login(state, keys)
        guard let old = try stamp(.logins, key) else { return }
        try change { try removeLogin(key, old) }
    }

    public func begin(_ redemption: Redemption) throws {
        let key = Key.record(redemption.user, redemption.platform)
        let old = try stamp(.journal, key)
        try change { _ = try replace(.journal, key, old: old?.stamp, endsAt: nil) { redemption.write(&$0) } }
    }

    public func endRedemption(_ user: UserID, _ platform: PlatformName) throws {
        let key = Key.record(user, platform)
        guard let old = try stamp(.journal, key) else { return }
        try change { try remove(.journal, key, old: old.stamp) }
    }

    typealias Found = (stamp: Stamp?, endsAt: Int64, version: UInt64)

    func removeSession(_ key: [UInt8], of user: UserID?, _ old: Found) throws {
        try remove(.sessions, key, old: old.stamp)
        try unindex(.expiry, Key.timed(old.endsAt, SealedTable.sessions.mark, key))
        if let user { try unindex(.sessions, Key.session(key, of: user, keys)) }
    }

    func removeLogin(_ key: [UInt8], _ old: Found) throws {
        try remove(.logins, key, old: old.stamp)
        try unindex(.expiry, Key.timed(old.endsAt, SealedTable.logins.mark, key))
    }

    /// Whose session stands under `key`, even one that has ended; nil when it does not open.
    func owner(_ key: [UInt8]) throws -> UserID? {
        let found: UserID?? = try transaction.get(key.span.bytes, in: .sessions) { value in
            value.withUnsafeBytes { value in
                try? key.withUnsafeBytes { key in
                    let header = try Envelope.header(of: value)
                    return try Envelope.open(value, header: header, under: key, of: .sessions, keys: keys) {
                        try SessionRecord($0, header).user
                    }
                }
            }
        }
        return found ?? nil
    }
}
