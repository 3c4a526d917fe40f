public import VaultBase
import VaultCrypto
import VaultStore

extension RecordsView {
    /// Whose the provider account is.
    public func user(of subject: String, at platform: PlatformName) throws -> UserID? {
        try open(.identities, Key.identity(subject, at: platform)) { payload, _ in try UserID(Self.onlyText(payload)) }
    }

    /// The provider account by which `user` is known at `platform`.
    public func subject(of user: UserID, at platform: PlatformName) throws -> String? {
        try open(.identities, Key.identity(of: user, at: platform)) { payload, _ in try Self.onlyText(payload) }
    }

    /// The session of that id, unless it was replaced.
    public func session(_ id: String) throws -> SessionRecord? {
        guard let session = try sessionOrReplaced(id), session.successor == nil else { return nil }
        return session
    }

    /// The session of that id, also one that was replaced a moment ago.
    public func sessionOrReplaced(_ id: String) throws -> SessionRecord? { try session(at: Key.session(id, keys)) }

    /// The user's sessions that hold, the oldest first. One that does not open is left out.
    public func sessions(of user: UserID) throws -> [SessionRecord] {
        try sessionKeys(of: user).compactMap { try? session(at: $0) }
            .filter { $0.user == user && $0.successor == nil }
            .sorted { ($0.createdAt, $0.id) < ($1.createdAt, $1.id) }
    }

    func session(at key: [UInt8]) throws -> SessionRecord? { try open(.sessions, key) { try SessionRecord($0, $1) } }

    /// The keys of all sessions of the user, ended and replaced ones too.
    func sessionKeys(of user: UserID) throws -> [[UInt8]] {
        let prefix = Key.sessions(of: user, keys)
        var found: [[UInt8]] = []
        try transaction.scan(.sessions, from: prefix.span.bytes) { key, _ in
            key.withUnsafeBytes { key in
                guard key.starts(with: prefix) else { return false }
                found.append([UInt8(ascii: "s")] + key.dropFirst(prefix.count))
                return true
            }
        }
        return found
    }

    public func login(_ state: String) throws -> LoginRecord? {
        try open(.logins, Key.login(state, keys)) { try LoginRecord($0, $1) }
    }

    public func redemption(_ user: UserID, _ platform: PlatformName) throws -> Redemption? {
        let name = ConnectionName(user: user, platform: platform)
        return try open(.journal, Key.record(user, platform)) { payload, _ in try Redemption(payload, name) }
    }

    /// All redemptions begun and not finished: what a crash left behind.
    public func redemptions() throws -> [Redemption] {
        var found: [Redemption] = []
        try transaction.scan(.journal, from: RawSpan()) { key, value in
            try key.withUnsafeBytes { key in
                guard let name = Key.names(key) else { throw EnvelopeError.damaged }
                try value.withUnsafeBytes { value in
                    let header = try Envelope.header(of: value)
                    try Envelope.open(value, header: header, under: key, of: .journal, keys: keys) {
                        found.append(try Redemption($0, name))
                    }
                }
            }
            return true
        }
        return found
    }

    /// The entry under `key`, opened; nil when there is none or its lifetime has ended.
    func open<R>(
        _ table: SealedTable, _ key: [UInt8], _ body: (UnsafeRawBufferPointer, Header) throws -> R
    ) throws -> R? {
        // No value stands under a key that long: LMDB has no room for it.
        guard key.count <= Self.keyLimit else { return nil }
        let found: R?? = try transaction.get(key.span.bytes, in: table.table) { value in
            try value.withUnsafeBytes { value -> R? in
                let header = try Envelope.header(of: value)
                let result = try key.withUnsafeBytes {
                    try Envelope.open(value, header: header, under: $0, of: table, keys: keys) {
                        try body($0, header)
                    }
                }
                return header.hasEnded(at: now) ? nil : result
            }
        }
        return found ?? nil
    }

    static let keyLimit = 511

    static func onlyText(_ payload: UnsafeRawBufferPointer) throws -> String {
        var fields = try FieldReader(payload)
        guard let field = try fields.next(known: 1) else { throw EnvelopeError.damaged }
        let text = field.text
        _ = try fields.next(known: 1)
        return text
    }
}
