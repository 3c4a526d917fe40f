public import VaultBase
import VaultCrypto
import VaultStore

/// A snapshot lent to ``Records/read(_:)``.
public class RecordsView {
    /// The moment by which lifetimes are judged here.
    public let now: Timestamp
    /// What says whether the wall clock has reached that moment too; nil where none does.
    private let clock: VaultClock?
    let transaction: any StoreReading
    let keys: VaultKeys

    init(keys: VaultKeys, now: Timestamp, clock: VaultClock? = nil, transaction: any StoreReading) {
        self.keys = keys
        self.now = now
        self.clock = clock
        self.transaction = transaction
    }

    /// The moment that the wall clock has reached too: what cannot be brought back is judged by it.
    public var settled: Timestamp { clock.map { min($0.settled, now) } ?? now }

    /// - Throws: `damaged`, naming the connection, when the record does not open.
    public func connection(_ user: UserID, _ platform: PlatformName) throws -> Connection? {
        var found: Connection?
        try Key.withRecord(user, platform) { key in
            _ = try transaction.lend(key.bytes, in: .records) { value in
                try value.withUnsafeBytes { value in
                    found = try open(value, key: key, ConnectionName(user: user, platform: platform))
                }
            }
        }
        return found.take()
    }

    /// In order of platform name.
    ///
    /// - Parameter damaged: told of each record that does not open; the others are returned. Without it,
    ///   the first such record is thrown.
    public func connections(
        of user: UserID, damaged: ((DamagedRecord) throws -> Void)? = nil
    ) throws -> [Connection] {
        let prefix = Key.records(of: user)
        var found: [Connection] = []
        try transaction.scan(.records, from: prefix.span.bytes) { key, value in
            try key.withUnsafeBytes { key in
                guard key.starts(with: prefix) else { return false }
                try value.withUnsafeBytes { value in
                    if let connection = try visit(key, value, damaged) { found.append(connection) }
                }
                return true
            }
        }
        return found
    }

    /// Opens what a scan came by; nil when it has ended or is damaged and was told of.
    func visit(
        _ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer, _ damaged: ((DamagedRecord) throws -> Void)?
    ) throws -> Connection? {
        do {
            guard let name = Key.names(key) else {
                throw VaultError(.damaged, "a record stands under a key that names nobody")
            }
            return try open(value, key: key, name)
        } catch let error as VaultError {
            guard let damaged else { throw error }
            try damaged(DamagedRecord(name: Key.names(key), key: Array(key), error: error))
            return nil
        }
    }

    private func open(
        _ value: UnsafeRawBufferPointer, key: UnsafeRawBufferPointer, _ name: ConnectionName
    ) throws -> Connection? {
        do {
            let header = try Envelope.header(of: value)
            let connection = try Envelope.open(value, header: header, under: key, of: .records, keys: keys) {
                try Connection($0, name, header)
            }
            // Judged after opening: what a forged header says counts for nothing.
            if header.hasEnded(at: now) { return nil }
            return consume connection
        } catch let error as VaultError {
            throw error.naming(name)
        }
    }
}

/// A record that does not open.
public struct DamagedRecord: Sendable {
    /// Whose it is; nil when even the key names nobody.
    public var name: ConnectionName?
    /// The key it stands under.
    public var key: [UInt8]
    public var error: VaultError
}

extension VaultError {
    /// The same, naming the connection.
    func naming(_ name: ConnectionName) -> VaultError {
        VaultError(
            code, "the connection of \(name.user) at \(name.platform): \(message)",
            hint: hint ?? "look at the whole vault with: vault check; connecting again replaces the record",
            cause: self)
    }
}
