public import VaultBase
import VaultCrypto
import VaultStore

// Until when a platform is left alone: in the table `state` under "cool " and its name, i64 milliseconds. Nothing
// depends on it but our manners, so it is neither sealed nor counted.

extension RecordsTransaction {
    /// Remembers it across a restart.
    public func cool(_ platform: PlatformName, until time: Timestamp) throws {
        try mark(Cooldown.key(platform), withUnsafeBytes(of: time.rawValue.littleEndian) { Array($0) })
    }
}

extension RecordsView {
    /// Those there are, also such as are over.
    public func cooldowns() throws -> [PlatformName: Timestamp] {
        var found: [PlatformName: Timestamp] = [:]
        try transaction.scan(.state, from: Cooldown.lead.span.bytes) { key, value in
            try key.withUnsafeBytes { key in
                guard key.starts(with: Cooldown.lead) else { return false }
                let name = try PlatformName(String(decoding: key.dropFirst(Cooldown.lead.count), as: UTF8.self))
                value.withUnsafeBytes { value in
                    guard value.count == 8 else { return }
                    found[name] = Timestamp(rawValue: Int64(littleEndian: value.loadUnaligned(as: Int64.self)))
                }
                return true
            }
        }
        return found
    }
}

private enum Cooldown {
    static let lead = Array("cool ".utf8)
    static func key(_ platform: PlatformName) -> [UInt8] { lead + Array(platform.rawValue.utf8) }
}
