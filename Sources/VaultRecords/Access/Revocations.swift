public import VaultBase
import VaultCrypto
import VaultStore

extension RecordsTransaction {
    /// Keeps tokens until their provider was told; those of the same account that were kept before are replaced.
    public func put(_ revocation: PendingRevocation) throws {
        let key = revocation.key
        try set(
            .revocations, key, endsAt: revocation.endsAt, agenda: [Agenda.revocation.key(revocation.nextAt, key)]
        ) { revocation.write(&$0) }
    }

    /// Lets go of the tokens; false when there were none.
    @discardableResult
    public func delete(_ revocation: PendingRevocation) throws -> Bool { try remove(.revocations, revocation.key) }

    /// Lets go of what is pending for the account, because it was connected anew: at some providers a late
    /// revocation would end the new grant too.
    @discardableResult
    public func deleteRevocation(of subject: String, at platform: PlatformName, _ user: UserID) throws -> Bool {
        try remove(.revocations, Key.revocation(subject, of: ConnectionName(user: user, platform: platform)))
    }

    /// Whether just this is still kept.
    public func isKept(_ revocation: PendingRevocation) throws -> Bool {
        try openRevocation(revocation.key) == revocation
    }
}

extension RecordsView {
    /// The revocations to try now, earliest first; also those whose time is over, to be given up.
    ///
    /// - Parameter latest: what is put off beyond it comes too: a clock that was wrong put it there.
    public func revocations(
        dueBefore time: Timestamp, latest: Timestamp = .init(rawValue: .max), limit: Int
    ) throws -> [PendingRevocation] {
        var due = try waiting(.revocation, in: .revocations, before: time, limit: limit, ended: true)
        if due.count < limit {
            due += try waiting(
                .revocation, in: .revocations, from: latest, before: .init(rawValue: .max), limit: limit - due.count,
                ended: true)
        }
        return try due.compactMap { try openRevocation($0) }
    }

    /// nil also for one that does not open; one that has ended is shown.
    fileprivate func openRevocation(_ key: [UInt8]) throws -> PendingRevocation? {
        let found: PendingRevocation?? = try transaction.get(key.span.bytes, in: .revocations) { value in
            value.withUnsafeBytes { value in
                try? key.withUnsafeBytes { key in
                    let header = try Envelope.header(of: value)
                    return try Envelope.open(value, header: header, under: key, of: .revocations, keys: keys) {
                        try PendingRevocation($0, header)
                    }
                }
            }
        }
        return found ?? nil
    }
}

extension PendingRevocation {
    fileprivate var key: [UInt8] { Key.revocation(subject, of: ConnectionName(user: user, platform: platform)) }
}
