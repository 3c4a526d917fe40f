public import VaultBase
import VaultCrypto
import VaultStore

// The hot path: one get, one open, and of the payload only what is handed out.

/// What handing out an access token needs of a record. The refresh token and whose account it is are not taken
/// out of the payload, so a read of a token brings nothing else into memory.
public struct StoredToken: Sendable, Equatable {
    public var accessToken: Secret
    public var tokenType: String
    public var scope: String
    /// When the access token ends; nil when the provider did not say.
    public var expiresAt: Timestamp?
    public var updatedAt: Timestamp
    /// Whether there is a refresh token.
    public var isRefreshable: Bool
    public var health: Health
}

extension Connection {
    /// What of it is handed out.
    public var token: StoredToken {
        StoredToken(
            accessToken: accessToken, tokenType: tokenType, scope: scope, expiresAt: expiresAt, updatedAt: updatedAt,
            isRefreshable: refreshToken != nil, health: health)
    }
}

extension StoredToken {
    /// Opens what stands under the record's `key`; nil when it has ended.
    fileprivate init?(
        _ value: UnsafeRawBufferPointer, under key: UnsafeRawBufferPointer, _ keys: VaultKeys, at now: Timestamp
    ) throws {
        let header = try Envelope.header(of: value)
        self = try Envelope.open(value, header: header, under: key, of: .records, keys: keys) { try StoredToken($0) }
        // Judged after opening: what a forged header says counts for nothing.
        if header.hasEnded(at: now) { return nil }
    }
}

extension Records {
    /// The token of a connection, and the moment at which it was read; nil when there is none or it has ended.
    ///
    /// - Throws: as ``RecordsView/connection(_:_:)``.
    public func token(of user: UserID, at platform: PlatformName) throws -> (token: StoredToken?, now: Timestamp) {
        var found: StoredToken?
        var now = Timestamp(rawValue: 0)
        var damage: VaultError?
        // Nothing is returned through the closures: what a generic one returns is copied on its way out.
        try Key.withRecord(user, platform) { key in
            try snapshot { transaction, keys, present in
                now = present
                try transaction.lend(key.bytes, in: .records) { value in
                    try value.withUnsafeBytes { value in
                        do {
                            found = try StoredToken(value, under: key, keys, at: present)
                        } catch let error as VaultError {
                            damage = error
                        }
                    }
                }
            }
        }
        if let damage { throw damage.naming(ConnectionName(user: user, platform: platform)) }
        return (found.take(), now)
    }
}
