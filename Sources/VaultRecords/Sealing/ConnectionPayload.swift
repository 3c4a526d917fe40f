import VaultBase

// The payload of a record. User, platform and version stand in the key and the header; so does endsAt.
//
//    1 dueAt         2 accessToken   3 refreshToken  4 tokenType    5 scope
//    6 expiresAt     7 createdAt     8 updatedAt     9 consentedAt 10 subject
//   11 displayName  12 clientID     13 generation   14 health: 0 healthy · 1 reconnect · 2 uncertain ·
//                                                      3 operator, then the reason
//  128 clockAt    129 validateAt
// Optional ones are left out. Readers that do not know those from 128 on pass over them.

extension Connection {
    func write(_ fields: inout FieldWriter) {
        if let dueAt { fields.field(1, dueAt) }
        fields.field(2, accessToken)
        if let refreshToken { fields.field(3, refreshToken) }
        fields.field(4, tokenType)
        fields.field(5, scope)
        if let expiresAt { fields.field(6, expiresAt) }
        fields.field(7, createdAt)
        fields.field(8, updatedAt)
        fields.field(9, consentedAt)
        fields.field(10, subject)
        if let displayName { fields.field(11, displayName) }
        fields.field(12, clientID)
        fields.field(13, generation)
        var state: [UInt8]
        switch health {
        case .healthy, .expiring: state = [0]
        case .reconnect(let reason): state = [1] + Array(reason.utf8)
        case .uncertain: state = [2]
        case .operatorAction(let reason): state = [3] + Array(reason.utf8)
        }
        state.withUnsafeBytes { fields.field(14, $0) }
        if let clockAt { fields.field(128, clockAt) }
        if let validateAt { fields.field(129, validateAt) }
    }

    /// Reads a payload that was opened under `name`.
    init(_ payload: UnsafeRawBufferPointer, _ name: ConnectionName, _ header: Header) throws(VaultError) {
        var fields = try FieldReader(payload)
        var (accessToken, refreshToken): (Secret?, Secret?)
        var (dueAt, expiresAt, clockAt, validateAt): (Timestamp?, Timestamp?, Timestamp?, Timestamp?)
        var (createdAt, updatedAt, consentedAt): (Timestamp?, Timestamp?, Timestamp?)
        var (tokenType, scope, subject, displayName, clientID): (String?, String?, String?, String?, String?)
        var generation: UInt64?
        var health: Health?
        while let field = try fields.next(known: 14, and: 128...129) {
            switch field.tag {
            case 1: dueAt = try field.time
            case 2: accessToken = field.secret
            case 3: refreshToken = field.secret
            case 4: tokenType = field.text
            case 5: scope = field.text
            case 6: expiresAt = try field.time
            case 7: createdAt = try field.time
            case 8: updatedAt = try field.time
            case 9: consentedAt = try field.time
            case 10: subject = field.text
            case 11: displayName = field.text
            case 12: clientID = field.text
            case 13: generation = try field.number
            case 14: health = try Health(field.bytes)
            case 128: clockAt = try field.time
            default: validateAt = try field.time
            }
        }
        guard let accessToken, let tokenType, let scope, let createdAt, let updatedAt, let consentedAt, let subject,
            let clientID, let generation, let health
        else { throw EnvelopeError.damaged }
        self.init(
            user: name.user, platform: name.platform, accessToken: accessToken, refreshToken: refreshToken,
            tokenType: tokenType, scope: scope, expiresAt: expiresAt, createdAt: createdAt, updatedAt: updatedAt,
            consentedAt: consentedAt, endsAt: header.endsAt == 0 ? nil : Timestamp(rawValue: header.endsAt),
            dueAt: dueAt, clockAt: clockAt, validateAt: validateAt, subject: subject, displayName: displayName,
            clientID: clientID, generation: generation, health: health, version: header.version)
    }

    /// When schedulers should look at the record of this payload; its tokens are passed over.
    static func agenda(_ payload: UnsafeRawBufferPointer) throws(VaultError) -> [(Agenda, Timestamp)] {
        var fields = try FieldReader(payload)
        var found: [(Agenda, Timestamp)] = []
        while let field = try fields.next(known: 14, and: 128...129) {
            switch field.tag {
            case 1: found.append((.refresh, try field.time))
            case 128: found.append((.clock, try field.time))
            case 129: found.append((.validation, try field.time))
            default: break
            }
        }
        return found
    }

    /// The same of a connection in memory.
    var agenda: [(Agenda, Timestamp)] {
        [(.refresh, dueAt), (.clock, clockAt), (.validation, validateAt)].compactMap { (agenda, time) in
            time.map { (agenda, $0) }
        }
    }
}

extension StoredToken {
    /// Reads a record's payload and takes out what is handed out.
    init(_ payload: UnsafeRawBufferPointer) throws(VaultError) {
        var fields = try FieldReader(payload)
        var accessToken: Secret?
        var (tokenType, scope): (String?, String?)
        var (expiresAt, updatedAt): (Timestamp?, Timestamp?)
        var isRefreshable = false
        var health: Health?
        while let field = try fields.next(known: 14, and: 128...129) {
            switch field.tag {
            case 2: accessToken = field.secret
            case 3: isRefreshable = true
            case 4: tokenType = field.text
            case 5: scope = field.text
            case 6: expiresAt = try field.time
            case 8: updatedAt = try field.time
            case 14: health = try Health(field.bytes)
            default: break
            }
        }
        guard let accessToken, let tokenType, let scope, let updatedAt, let health else { throw EnvelopeError.damaged }
        self.init(
            accessToken: accessToken, tokenType: tokenType, scope: scope, expiresAt: expiresAt, updatedAt: updatedAt,
            isRefreshable: isRefreshable, health: health)
    }
}

extension Health {
    fileprivate init(_ bytes: UnsafeRawBufferPointer) throws(VaultError) {
        guard let kind = bytes.first else { throw EnvelopeError.damaged }
        func reason() -> String { String(decoding: bytes.dropFirst(), as: UTF8.self) }
        switch kind {
        case 0: self = .healthy
        case 1: self = .reconnect(reason: reason())
        case 2: self = .uncertain
        case 3: self = .operatorAction(reason: reason())
        default: throw EnvelopeError.newer
        }
    }
}
