import VaultBase

/// What a session's JWT says of itself (RFC 7519 §4.1), all of it required.
struct Claims: Equatable {
    var issuer: String
    var audience: String
    var subject: String
    var issuedAt: Int64
    var expiresAt: Int64
    var id: String

    var json: String {
        "{\"iss\":\(JSONText.quoted(issuer)),\"aud\":\(JSONText.quoted(audience)),\"sub\":\(JSONText.quoted(subject)),"
            + "\"iat\":\(issuedAt),\"exp\":\(expiresAt),\"jti\":\(JSONText.quoted(id))}"
    }

    init(issuer: String, audience: String, subject: String, issuedAt: Int64, expiresAt: Int64, id: String) {
        self.issuer = issuer
        self.audience = audience
        self.subject = subject
        self.issuedAt = issuedAt
        self.expiresAt = expiresAt
        self.id = id
    }

    /// Reads a flat object of strings and whole numbers; nil for anything else, also for a claim that is
    /// missing, repeated or of another type. Claims we do not know are passed over.
    init?(_ bytes: [UInt8]) {
        guard String(validating: bytes, as: UTF8.self) != nil else { return nil }
        var scanner = FlatObject(bytes)
        var others: Set<String> = []
        var (issuer, audience, subject, id): (String?, String?, String?, String?)
        var (issuedAt, expiresAt): (Int64?, Int64?)
        guard scanner.take(0x7B) else { return nil }
        if !scanner.take(0x7D) {
            repeat {
                guard let name = scanner.string(), scanner.take(0x3A) else { return nil }
                let isGood =
                    switch name {
                    case "iss": Self.set(&issuer, scanner.string())
                    case "aud": Self.set(&audience, scanner.string())
                    case "sub": Self.set(&subject, scanner.string())
                    case "jti": Self.set(&id, scanner.string())
                    case "iat": Self.set(&issuedAt, scanner.integer())
                    case "exp": Self.set(&expiresAt, scanner.integer())
                    default: others.insert(name).inserted && (scanner.string() != nil || scanner.integer() != nil)
                    }
                guard isGood else { return nil }
            } while scanner.take(0x2C)
            guard scanner.take(0x7D) else { return nil }
        }
        guard scanner.isAtEnd, let issuer, let audience, let subject, let id, let issuedAt, let expiresAt
        else { return nil }
        self.init(
            issuer: issuer, audience: audience, subject: subject, issuedAt: issuedAt, expiresAt: expiresAt, id: id)
    }

    /// False for a value that is none, and for a second one.
    private static func set<Value>(_ claim: inout Value?, _ value: Value?) -> Bool {
        defer { claim = value }
        return claim == nil && value != nil
    }
}

/// Writes JSON strings (RFC 8259 §7).
enum JSONText {
    static func quoted(_ text: String) -> String {
        var out = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case _ where scalar.value < 0x20: out += "\\u00" + Hex.encode([UInt8(scalar.value)])
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out + "\""
    }
}

/// Reads the pieces of a JSON object whose members are strings and whole numbers.
private struct FlatObject {
    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var isAtEnd: Bool {
        mutating get {
            skipSpace()
            return position == bytes.count
        }
    }

    mutating func take(_ byte: UInt8) -> Bool {
        skipSpace()
        guard position < bytes.count, bytes[position] == byte else { return false }
        position += 1
        return true
    }

    /// A string; nil, and nothing consumed, when what comes is none.
    mutating func string() -> String? {
        let start = position
        guard take(0x22) else { return nil }
        // Most have no escape and need no copy to be unescaped in.
        if let end = bytes[position...].firstIndex(where: { $0 == 0x22 || $0 == 0x5C || $0 < 0x20 }), bytes[end] == 0x22
        {
            defer { position = end + 1 }
            return String(decoding: bytes[position..<end], as: UTF8.self)
        }
        var out: [UInt8] = []
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            switch byte {
            case 0x22: return String(decoding: out, as: UTF8.self)
            case 0x5C:
                guard let escaped = escape() else { return nil }
                out += escaped
            case ..<0x20: return nil
            default: out.append(byte)
            }
        }
        position = start
        return nil
    }

    /// A whole number without leading zeros, of at most 18 digits.
    mutating func integer() -> Int64? {
        skipSpace()
        let negative = take(0x2D)
        let digits = bytes[position...].prefix { (0x30...0x39).contains($0) }
        guard (1...18).contains(digits.count), digits.count == 1 || digits.first != 0x30 else { return nil }
        position += digits.count
        let value = digits.reduce(Int64(0)) { $0 * 10 + Int64($1 - 0x30) }
        return negative ? -value : value
    }

    private mutating func escape() -> [UInt8]? {
        guard position < bytes.count else { return nil }
        let byte = bytes[position]
        position += 1
        switch byte {
        case 0x22, 0x5C, 0x2F: return [byte]
        case 0x62: return [0x08]
        case 0x66: return [0x0C]
        case 0x6E: return [0x0A]
        case 0x72: return [0x0D]
        case 0x74: return [0x09]
        case 0x75:
            guard position + 4 <= bytes.count,
                let unit = Hex.decode(String(decoding: bytes[position..<position + 4], as: UTF8.self))
            else { return nil }
            position += 4
            // We write escapes for control characters alone; a surrogate is nobody's of ours.
            return Unicode.Scalar(UInt32(unit[0]) << 8 | UInt32(unit[1])).map { Array(String($0).utf8) }
        default: return nil
        }
    }

    private mutating func skipSpace() {
        while position < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[position]) { position += 1 }
    }
}
