import VaultBase
import VaultCrypto
import VaultStore

// What stands under which key; `Documentation.docc/Format`, "Tables", is the same in words.
//
//   records     userId 0x00 platform#name
//   journal     the same
//   identities  platform#name 0x00 subject         and, to find it again from the user,
//               0x01 userId 0x00 platform#name
//   sessions    's' hash(id)                       and, to find all of a user's,
//               'u' hash(userId) hash(id)          (no value of its own: the version)
//   logins      hash(state)
//   events      number u64 big-endian
//   services    id 8
//   revocations platform#name 0x00 subject         or, where the account is not known,
//               0x01 userId 0x00 platform#name
//   expiry      u64 big-endian ms, then a record key, or a mark and a key of the table it stands for:
//               0x01 sessions, 0x02 logins, 0x03 events, 0x04 services, 0x05 revocations
//   due         u64 big-endian ms, then a record key; or an agenda's mark and what it says (`Agenda`)
//
// hash is BLAKE2b-256 with the keyring's index key. A user's name has no byte below 0x20, so the marks
// of the expiry index are never the beginning of one.

enum Key {
    /// Lends the key of a record, made on the stack: for the one path where an array is too much.
    static func withRecord<R>(
        _ user: UserID, _ platform: PlatformName, _ body: (UnsafeRawBufferPointer) throws -> R
    ) rethrows -> R {
        let count = user.rawValue.utf8.count + prefix.count + platform.rawValue.utf8.count + 1
        return try withUnsafeTemporaryAllocation(byteCount: count, alignment: 1) { buffer in
            var key = ByteWriter(buffer)
            add(user.rawValue, to: &key)
            key.u8(0)
            key.bytes(prefix)
            add(platform.rawValue, to: &key)
            return try body(UnsafeRawBufferPointer(buffer))
        }
    }

    private static func add(_ name: String, to key: inout ByteWriter) {
        // `withUTF8` wants a string of its own, which is one more to count.
        let isAdded: Void? = name.utf8.withContiguousStorageIfAvailable { key.bytes(UnsafeRawBufferPointer($0)) }
        guard isAdded == nil else { return }
        var name = name
        name.withUTF8 { key.bytes(UnsafeRawBufferPointer($0)) }
    }

    static func record(_ user: UserID, _ platform: PlatformName) -> [UInt8] {
        withRecord(user, platform) { Array($0) }
    }

    /// What all records of a user begin with.
    static func records(of user: UserID) -> [UInt8] { Array(user.rawValue.utf8) + [0] }

    static func identity(_ subject: String, at platform: PlatformName) -> [UInt8] {
        identities(at: platform) + Array(subject.utf8)
    }

    static func identities(at platform: PlatformName) -> [UInt8] {
        Array(prefix) + Array(platform.rawValue.utf8) + [0]
    }

    static func identity(of user: UserID, at platform: PlatformName) -> [UInt8] { [1] + record(user, platform) }

    static func session(_ id: String, _ keys: VaultKeys) -> [UInt8] {
        [UInt8(ascii: "s")] + keys.hash(id, for: Purpose("vault-session-id"))
    }

    /// What the index entries of all sessions of a user begin with.
    static func sessions(of user: UserID, _ keys: VaultKeys) -> [UInt8] {
        [UInt8(ascii: "u")] + keys.hash(user.rawValue, for: Purpose("vault-user-id"))
    }

    /// The index entry of a session, from its key.
    static func session(_ key: [UInt8], of user: UserID, _ keys: VaultKeys) -> [UInt8] {
        sessions(of: user, keys) + key.dropFirst()
    }

    static func login(_ state: String, _ keys: VaultKeys) -> [UInt8] {
        keys.hash(state, for: Purpose("vault-login-id"))
    }

    /// The table is in the order in which things happened.
    static func event(_ number: UInt64) -> [UInt8] { withUnsafeBytes(of: number.bigEndian) { Array($0) } }

    /// By the provider's account, so that whoever connects it next ends what is pending for it.
    static func revocation(_ subject: String, of name: ConnectionName) -> [UInt8] {
        subject.isEmpty ? identity(of: name.user, at: name.platform) : identity(subject, at: name.platform)
    }

    /// An index key: a time, then what has it.
    static func timed(_ milliseconds: Int64, _ mark: UInt8?, _ key: [UInt8]) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(9 + key.count)
        // Times before 1970 sort first.
        withUnsafeBytes(of: UInt64(max(0, milliseconds)).bigEndian) { out.append(contentsOf: $0) }
        if let mark { out.append(mark) }
        out += key
        return out
    }

    /// The user and the platform of a record key.
    static func names(_ key: UnsafeRawBufferPointer) -> ConnectionName? {
        guard let end = key.firstIndex(of: 0) else { return nil }
        let sort = key[(end + 1)...]
        guard sort.starts(with: prefix), let user = try? UserID(String(decoding: key[..<end], as: UTF8.self)),
            let platform = try? PlatformName(String(decoding: sort.dropFirst(prefix.count), as: UTF8.self))
        else { return nil }
        return ConnectionName(user: user, platform: platform)
    }

    /// The platform and the account of an identity's key.
    static func account(_ key: UnsafeRawBufferPointer) -> (PlatformName, String)? {
        guard key.starts(with: prefix), let end = key.firstIndex(of: 0),
            let platform = try? PlatformName(String(decoding: key[prefix.count..<end], as: UTF8.self))
        else { return nil }
        return (platform, String(decoding: key[(end + 1)...], as: UTF8.self))
    }

    private static var prefix: UnsafeRawBufferPointer {
        let text: StaticString = "platform#"
        return UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
    }
}

/// The tables whose values are sealed; the number is what set hashes and backups call them.
enum SealedTable: UInt8, CaseIterable, Sendable {
    case records = 1
    case identities = 2
    case sessions = 3
    case logins = 4
    case journal = 5
    case events = 6
    case services = 7
    case revocations = 8

    /// How many there have always been: a vault that never used the later ones is as it was before them.
    static let least = 5

    var table: Table {
        switch self {
        case .records: .records
        case .identities: .identities
        case .sessions: .sessions
        case .logins: .logins
        case .journal: .journal
        case .events: .events
        case .services: .services
        case .revocations: .revocations
        }
    }

    var purpose: Purpose {
        switch self {
        case .records: Self.purposes.records
        case .identities: Self.purposes.identities
        case .sessions: Self.purposes.sessions
        case .logins: Self.purposes.logins
        case .journal: Self.purposes.journal
        case .events: Self.purposes.events
        case .services: Self.purposes.services
        case .revocations: Self.purposes.revocations
        }
    }

    private static let purposes = (
        records: Purpose("vault-rec-v1"), identities: Purpose("vault-ident-v1"),
        sessions: Purpose("vault-session-v1"), logins: Purpose("vault-login-v1"),
        journal: Purpose("vault-journal-v1"), events: Purpose("vault-event-v1"),
        services: Purpose("vault-service-v1"), revocations: Purpose("vault-revoke-v1")
    )

    /// What marks an entry of this table in the expiry index.
    var mark: UInt8? {
        switch self {
        case .sessions: 1
        case .logins: 2
        case .events: 3
        case .services: 4
        case .revocations: 5
        case .records, .identities, .journal: nil
        }
    }

    /// Whether `key` is one that holds a sealed value (a session's index entry is not).
    func isSealed(_ key: UnsafeRawBufferPointer) -> Bool { self != .sessions || key.first == UInt8(ascii: "s") }
}
