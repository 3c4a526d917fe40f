import VaultBase
import VaultCrypto

// The payload of an event; its number is its key, its end stands in the header.
//
//   1 id · 2 kind · 3 user · 4 platform · 5 at · 6 reason · 7 grant ends at · 8 missing scope · 9 revoked · 10 by ·
//   11 deliveries: each state u8 · attempts u16 · since i64 · next at i64 · length u8 · receiver · length u8 · code
//
// Optional ones are left out; without 11 it was not handed out yet.

extension EventRecord {
    func write(_ fields: inout FieldWriter) {
        fields.field(1, id)
        fields.field(2, UInt64(kind.rawValue))
        fields.field(3, user.rawValue)
        fields.field(4, platform.rawValue)
        fields.field(5, at)
        if let reason = facts.reason { fields.field(6, reason) }
        if let time = facts.grantEndsAt { fields.field(7, time) }
        if let scope = facts.missingScope { fields.field(8, scope) }
        if let revoked = facts.revoked { fields.field(9, revoked) }
        if let by = facts.by { fields.field(10, by) }
        if let deliveries {
            var bytes: [UInt8] = []
            for delivery in deliveries { delivery.append(to: &bytes) }
            bytes.withUnsafeBytes { fields.field(11, $0) }
        }
    }

    init(
        _ payload: UnsafeRawBufferPointer, _ key: UnsafeRawBufferPointer, _ header: Header
    ) throws(VaultError) {
        var fields = try FieldReader(payload)
        var text: [UInt8: String] = [:]
        var (kind, at, grantEndsAt): (Kind?, Timestamp?, Timestamp?)
        var deliveries: [Delivery]?
        while let field = try fields.next(known: 11) {
            switch field.tag {
            case 2:
                kind = UInt8(exactly: try field.number).flatMap(Kind.init)
                if kind == nil { throw EnvelopeError.newer }
            case 5: at = try field.time
            case 7: grantEndsAt = try field.time
            case 11: deliveries = try Delivery.list(field.bytes)
            default: text[field.tag] = field.text
            }
        }
        guard key.count == 8, let id = text[1], let kind, let user = text[3], let platform = text[4], let at else {
            throw EnvelopeError.damaged
        }
        self.init(
            id: id, kind: kind, user: try UserID(user), platform: try PlatformName(platform), at: at,
            endsAt: Timestamp(rawValue: header.endsAt),
            facts: Facts(
                reason: text[6], grantEndsAt: grantEndsAt, missingScope: text[8], revoked: text[9], by: text[10]))
        number = UInt64(bigEndian: key.loadUnaligned(as: UInt64.self))
        self.deliveries = deliveries
    }
}

extension EventRecord.Delivery {
    fileprivate func append(to bytes: inout [UInt8]) {
        bytes.append(state.rawValue)
        bytes.append(u16: UInt16(clamping: attempts))
        bytes.append(i64: since.rawValue)
        bytes.append(i64: nextAt.rawValue)
        for text in [receiver, code ?? ""] {
            let text = text.utf8.prefix(255)
            bytes.append(UInt8(text.count))
            bytes += text
        }
    }

    fileprivate static func list(_ bytes: UnsafeRawBufferPointer) throws(VaultError) -> [Self] {
        var reader = ByteReader(bytes)
        var list: [Self] = []
        while !reader.isAtEnd {
            guard let state = reader.u8().flatMap(State.init), let attempts = reader.u16(), let since = reader.i64(),
                let next = reader.i64(), let receiver = reader.text(), let code = reader.text()
            else { throw EnvelopeError.damaged }
            list.append(
                Self(
                    receiver: receiver, state: state, attempts: Int(attempts), since: Timestamp(rawValue: since),
                    nextAt: Timestamp(rawValue: next), code: code.isEmpty ? nil : code))
        }
        return list
    }
}

extension ByteReader {
    /// A text with its length as a byte before it.
    fileprivate mutating func text() -> String? {
        guard let count = u8(), let bytes = array(Int(count)) else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }
}
