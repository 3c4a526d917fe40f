import VaultBase
import VaultCrypto

/// A value of any sealed table, opened and read.
struct SealedValue {
    enum Content {
        case connection(Connection)
        case identity(UserID, PlatformName, subject: String)
        case wayBack(UserID, PlatformName, subject: String)
        case session(SessionRecord)
        case login(LoginRecord)
        case redemption(Redemption)
        case event(EventRecord)
        case service(ServiceKey)
        case revocation(PendingRevocation)
    }

    let header: Header
    let content: Content

    /// - Throws: `damaged`, `newer-format`.
    init(
        _ table: SealedTable, _ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer, _ keys: VaultKeys
    ) throws {
        let header = try Envelope.header(of: value)
        self.header = header
        content = try Envelope.open(value, header: header, under: key, of: table, keys: keys) { payload in
            switch table {
            case .records:
                guard let name = Key.names(key) else { throw EnvelopeError.damaged }
                return .connection(try Connection(payload, name, header))
            case .journal:
                guard let name = Key.names(key) else { throw EnvelopeError.damaged }
                return .redemption(try Redemption(payload, name))
            case .sessions:
                return .session(try SessionRecord(payload, header))
            case .logins:
                return .login(try LoginRecord(payload, header))
            case .events:
                return .event(try EventRecord(payload, key, header))
            case .services:
                return .service(try ServiceKey(payload, key, header))
            case .revocations:
                return .revocation(try PendingRevocation(payload, header))
            case .identities:
                let text = try RecordsView.onlyText(payload)
                if key.first == 1 {
                    guard let name = Key.names(UnsafeRawBufferPointer(rebasing: key.dropFirst())) else {
                        throw EnvelopeError.damaged
                    }
                    return .wayBack(name.user, name.platform, subject: text)
                }
                guard let (platform, subject) = Key.account(key) else { throw EnvelopeError.damaged }
                return .identity(try UserID(text), platform, subject: subject)
            }
        }
    }

    /// The same; an error names the connection it is about.
    init(
        naming table: SealedTable, _ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer, _ keys: VaultKeys
    ) throws {
        do {
            try self.init(table, key, value, keys)
        } catch let error as VaultError {
            guard table == .records || table == .journal, let name = Key.names(key) else { throw error }
            throw error.naming(name)
        }
    }
}
