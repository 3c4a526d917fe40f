import VaultBase

// The payloads of the other sealed tables; each value's end stands in its header.
//
//   session     1 id · 2 user · 3 createdAt · 4 successor
//   login       1 state · 2 platform · 3 binding · 4 verifier · 5 nonce · 6 issuer · 7 token endpoint ·
//               8 client id · 9 redirect URI · 10 user · 11 scope · 12 return to · 13 createdAt ·
//               14 progress: 0 pending · 1 redeeming · 2 connected · 3 failed · 15 callback hash ·
//               16 connected user · 17 session id · 18 failure code
//   redemption  1 generation · 2 begunAt
//   identity    1 user          its way back  1 subject

extension SessionRecord {
    func write(_ fields: inout FieldWriter) {
        fields.field(1, id)
        fields.field(2, user.rawValue)
        fields.field(3, createdAt)
        if let successor { fields.field(4, successor) }
    }

    init(_ payload: UnsafeRawBufferPointer, _ header: Header) throws(VaultError) {
        var fields = try FieldReader(payload)
        guard let id = try fields.next(known: 4), id.tag == 1, let user = try fields.next(known: 4), user.tag == 2,
            let createdAt = try fields.next(known: 4), createdAt.tag == 3
        else { throw EnvelopeError.damaged }
        let successor = try fields.next(known: 4)
        if successor != nil { _ = try fields.next(known: 4) }
        self.init(
            id: id.text, user: try UserID(user.text), createdAt: try createdAt.time,
            endsAt: Timestamp(rawValue: header.endsAt), successor: successor?.text)
    }
}

extension LoginRecord {
    func write(_ fields: inout FieldWriter) {
        fields.field(1, state)
        fields.field(2, platform.rawValue)
        binding.withUnsafeBytes { fields.field(3, $0) }
        if let verifier { fields.field(4, verifier) }
        if let nonce { fields.field(5, nonce) }
        fields.field(6, issuer)
        fields.field(7, tokenEndpoint)
        fields.field(8, clientID)
        fields.field(9, redirectURI)
        if let user { fields.field(10, user.rawValue) }
        fields.field(11, scope)
        if let returnTo { fields.field(12, returnTo) }
        fields.field(13, createdAt)
        switch progress {
        case .pending:
            fields.field(14, 0)
        case .redeeming(let callback):
            fields.field(14, 1)
            callback.withUnsafeBytes { fields.field(15, $0) }
        case .finished(let callback, .connected(let user, let sessionID)):
            fields.field(14, 2)
            callback.withUnsafeBytes { fields.field(15, $0) }
            fields.field(16, user.rawValue)
            fields.field(17, sessionID)
        case .finished(let callback, .failed(let code)):
            fields.field(14, 3)
            callback.withUnsafeBytes { fields.field(15, $0) }
            fields.field(18, code)
        }
    }

    init(_ payload: UnsafeRawBufferPointer, _ header: Header) throws(VaultError) {
        var reader = try FieldReader(payload)
        var text: [UInt8: String] = [:]
        var binding: [UInt8]?
        var callback: [UInt8] = []
        var verifier: Secret?
        var createdAt: Timestamp?
        var stage: UInt64?
        while let field = try reader.next(known: 18) {
            switch field.tag {
            case 3: binding = Array(field.bytes)
            case 4: verifier = field.secret
            case 13: createdAt = try field.time
            case 14: stage = try field.number
            case 15: callback = Array(field.bytes)
            default: text[field.tag] = field.text
            }
        }
        guard let state = text[1], let platform = text[2], let binding, let issuer = text[6],
            let tokenEndpoint = text[7], let clientID = text[8], let redirectURI = text[9], let scope = text[11],
            let createdAt, let stage
        else { throw EnvelopeError.damaged }
        let progress: Progress
        switch stage {
        case 0: progress = .pending
        case 1: progress = .redeeming(callback: callback)
        case 2:
            guard let user = text[16], let sessionID = text[17] else { throw EnvelopeError.damaged }
            progress = .finished(callback: callback, .connected(user: try UserID(user), sessionID: sessionID))
        case 3:
            guard let code = text[18] else { throw EnvelopeError.damaged }
            progress = .finished(callback: callback, .failed(code: code))
        default: throw EnvelopeError.newer
        }
        var user: UserID?
        if let name = text[10] { user = try UserID(name) }
        self.init(
            state: state, platform: try PlatformName(platform), binding: binding, verifier: verifier, nonce: text[5],
            issuer: issuer, tokenEndpoint: tokenEndpoint, clientID: clientID, redirectURI: redirectURI, user: user,
            scope: scope, returnTo: text[12], createdAt: createdAt, endsAt: Timestamp(rawValue: header.endsAt),
            progress: progress)
    }
}

extension Redemption {
    func write(_ fields: inout FieldWriter) {
        fields.field(1, generation)
        fields.field(2, begunAt)
    }

    init(_ payload: UnsafeRawBufferPointer, _ name: ConnectionName) throws(VaultError) {
        var fields = try FieldReader(payload)
        guard let generation = try fields.next(known: 2), generation.tag == 1,
            let begunAt = try fields.next(known: 2), begunAt.tag == 2
        else { throw EnvelopeError.damaged }
        self.init(
            user: name.user, platform: name.platform, generation: try generation.number, begunAt: try begunAt.time)
    }
}
