import VaultBase

// The payloads of service keys and pending revocations; each value's end stands in its header.
//
//   service key  1 name · 2 digest · 3 actions, space separated · 4 platforms, space separated, optional · 5 created at
//   revocation   1 user · 2 platform · 3 subject · 4 access token · 5 refresh token, optional · 6 attempts · 7 next at

extension ServiceKey {
    func write(_ fields: inout FieldWriter) {
        fields.field(1, name)
        digest.withUnsafeBytes { fields.field(2, $0) }
        fields.field(3, actions.map(\.rawValue).sorted().joined(separator: " "))
        if let platforms { fields.field(4, platforms.sorted().map(\.rawValue).joined(separator: " ")) }
        fields.field(5, createdAt)
    }

    init(
        _ payload: UnsafeRawBufferPointer, _ key: UnsafeRawBufferPointer, _ header: Header
    ) throws(VaultError) {
        var fields = try FieldReader(payload)
        var text: [UInt8: String] = [:]
        var digest: [UInt8]?
        var createdAt: Timestamp?
        while let field = try fields.next(known: 5) {
            switch field.tag {
            case 2: digest = Array(field.bytes)
            case 5: createdAt = try field.time
            default: text[field.tag] = field.text
            }
        }
        guard let name = text[1], let digest, let words = text[3], let createdAt else { throw EnvelopeError.damaged }
        var platforms: Set<PlatformName>?
        if let names = text[4] {
            platforms = []
            for name in names.split(separator: " ") { platforms?.insert(try PlatformName(String(name))) }
        }
        self.init(
            id: Hex.encode(Array(key)), name: name, digest: digest,
            // An action of a later version is none here.
            actions: Set(words.split(separator: " ").compactMap { Action(rawValue: String($0)) }),
            platforms: platforms, createdAt: createdAt,
            endsAt: header.endsAt == 0 ? nil : Timestamp(rawValue: header.endsAt))
    }
}

extension PendingRevocation {
    func write(_ fields: inout FieldWriter) {
        fields.field(1, user.rawValue)
        fields.field(2, platform.rawValue)
        fields.field(3, subject)
        fields.field(4, accessToken)
        if let refreshToken { fields.field(5, refreshToken) }
        fields.field(6, UInt64(attempts))
        fields.field(7, nextAt)
    }

    init(_ payload: UnsafeRawBufferPointer, _ header: Header) throws(VaultError) {
        var fields = try FieldReader(payload)
        var text: [UInt8: String] = [:]
        var (access, refresh): (Secret?, Secret?)
        var (attempts, nextAt): (UInt64?, Timestamp?)
        while let field = try fields.next(known: 7) {
            switch field.tag {
            case 4: access = field.secret
            case 5: refresh = field.secret
            case 6: attempts = try field.number
            case 7: nextAt = try field.time
            default: text[field.tag] = field.text
            }
        }
        guard let user = text[1], let platform = text[2], let subject = text[3], let access, let attempts, let nextAt
        else { throw EnvelopeError.damaged }
        self.init(
            user: try UserID(user), platform: try PlatformName(platform), subject: subject, accessToken: access,
            refreshToken: refresh, attempts: Int(clamping: attempts), nextAt: nextAt,
            endsAt: Timestamp(rawValue: header.endsAt))
    }
}
