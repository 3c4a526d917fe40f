import VaultBase
import VaultStore

// Entries of the table `due`, each kind in a row of its own:
//
//   time u64 big-endian · record key                   refresh ahead
//   0x81 · time · record key                           grant clock
//   0x82 · time · record key                           validation at the provider
//   0x83 · time · revocation key                       revocation to be tried
//   0x84 · event's number u64 big-endian               event that is not told everywhere yet
//
// A time is no negative number, so none begins with a byte from 0x80 on.

/// What the schedulers look for, and where it stands in `due`.
enum Agenda: UInt8 {
    case refresh = 0
    case clock = 0x81
    case validation = 0x82
    case revocation = 0x83
    case delivery = 0x84

    static let firstMark: UInt8 = 0x80

    /// What the entries of this kind begin with.
    var lead: [UInt8] { self == .refresh ? [] : [rawValue] }

    /// The entry of what stands under `key` and is looked at from `time` on.
    func key(_ time: Timestamp, _ key: [UInt8]) -> [UInt8] { lead + Key.timed(time.rawValue, nil, key) }

    /// The entry of an event: its number is its turn.
    static func delivery(of key: [UInt8]) -> [UInt8] { Self.delivery.lead + key }
}

extension SealedValue {
    /// The entries of `due` that must name this value, which stands under `key`.
    func agenda(_ key: [UInt8]) -> [[UInt8]] {
        switch content {
        case .connection(let connection): connection.agenda.map { $0.key($1, key) }
        case .revocation(let revocation): [Agenda.revocation.key(revocation.nextAt, key)]
        case .event(let event): event.isPending ? [Agenda.delivery(of: key)] : []
        case .identity, .wayBack, .session, .login, .redemption, .service: []
        }
    }
}

extension RecordsView {
    /// The keys of the values of `table` whose time has come, earliest first; those that have ended are passed
    /// over, unless they are asked for, and so are entries older than their value.
    func waiting(
        _ agenda: Agenda, in table: SealedTable, from first: Timestamp = .init(rawValue: 0), before time: Timestamp,
        limit: Int, ended: Bool = false
    ) throws -> [[UInt8]] {
        let lead = agenda.lead
        var found: [[UInt8]] = []
        try transaction.scan(.due, from: agenda.key(first, []).span.bytes) { entry, value in
            let target: [UInt8]? = entry.withUnsafeBytes { entry in
                guard entry.count > lead.count + 8, entry.starts(with: lead) else { return nil }
                let at = UInt64(bigEndian: entry.loadUnaligned(fromByteOffset: lead.count, as: UInt64.self))
                guard at <= UInt64(max(0, time.rawValue)) else { return nil }
                return Array(entry.dropFirst(lead.count + 8))
            }
            guard found.count < limit, let target else { return false }
            let header = try transaction.get(target.span.bytes, in: table.table) { value in
                value.withUnsafeBytes { try? Envelope.header(of: $0) }
            }
            if let header = header ?? nil, header.version == IndexEntry.version(value),
                ended || !header.hasEnded(at: now)
            {
                found.append(target)
            }
            return true
        }
        return found
    }
}
