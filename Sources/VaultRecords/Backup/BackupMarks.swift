public import VaultBase
import VaultCrypto
import VaultStore

/// What was done to have a backup, or to prove one; kept in the vault, so that its age is known after a restart.
///
/// Under `last-backup` and `last-drill` in the table `state`:
/// format u8 = 1 · good u8 · at i64 · sequence u64 · hash 32 · length u16 · file
public struct BackupMark: Sendable, Equatable {
    public enum Deed: String, Sendable { case backup = "last-backup", drill = "last-drill" }

    public var at: Timestamp
    /// Where the backup ended.
    public var end: ChainPoint
    /// Whether it went well; of backups only those that did are kept.
    public var isGood: Bool
    public var file: String

    public init(at: Timestamp, end: ChainPoint, isGood: Bool = true, file: String) {
        self.at = at
        self.end = end
        self.isGood = isGood
        self.file = file
    }

    fileprivate var encoded: [UInt8] {
        var out: [UInt8] = [1, isGood ? 1 : 0]
        out.append(i64: at.rawValue)
        out.append(u64: end.sequence)
        out += end.hash
        let name = Array(file.utf8.prefix(4096))
        out.append(u16: UInt16(name.count))
        return out + name
    }

    /// nil for what another version wrote: an age that is not known is no reason to stop.
    fileprivate init?(_ bytes: [UInt8]) {
        let read = bytes.withUnsafeBytes { bytes -> BackupMark? in
            var reader = ByteReader(bytes)
            guard reader.u8() == 1, let good = reader.u8(), let at = reader.i64(), let end = ChainPoint(&reader),
                let length = reader.u16(), let name = reader.array(Int(length)), reader.isAtEnd
            else { return nil }
            return BackupMark(
                at: Timestamp(rawValue: at), end: end, isGood: good == 1, file: String(decoding: name, as: UTF8.self))
        }
        guard let read else { return nil }
        self = read
    }
}

extension Records {
    public func note(_ mark: BackupMark, of deed: BackupMark.Deed) async throws {
        try await store.write { transaction in
            // Of all things a full vault must not refuse to be backed up.
            transaction.room = .saving
            let (key, value) = (Array(deed.rawValue.utf8), mark.encoded)
            try transaction.put(value.span.bytes, for: key.span.bytes, in: .state)
        }
    }

    /// Where a backup that was made now would end.
    public func chainPoint() throws -> ChainPoint {
        let keys = keys
        return try store.read { ChainPoint(try VaultState.load($0, keys), keys) }
    }

    /// The last one; nil before the first.
    public func last(_ deed: BackupMark.Deed) throws -> BackupMark? {
        try store.read { try Self.bytes(Array(deed.rawValue.utf8), in: .state, $0) }.flatMap { BackupMark($0) }
    }
}
