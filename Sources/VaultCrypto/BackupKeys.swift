public import VaultBase

/// Whom a backup is for: its holder's secret key opens what was sealed to this one.
///
/// As text `public:` and 72 hexadecimal digits, the last eight of which tell a key that was copied wrong:
/// a backup to such a key would be one that nobody can open.
public struct BackupPublicKey: Sendable, Equatable {
    package let bytes: [UInt8]

    package init(bytes: [UInt8]) { self.bytes = bytes }

    /// - Throws: `bad-request` for anything else.
    public init(_ text: String) throws(VaultError) {
        guard let bytes = KeyDigits.read(text, after: Self.prefix) else {
            throw VaultError(
                .badRequest, "that is no public key of a backup",
                hint: "copy the whole line that vault backup keygen printed: \(Self.prefix)…")
        }
        self.bytes = bytes
    }

    public var text: String { Self.prefix + KeyDigits.write(bytes) }

    public static let prefix = "public:"
}

/// What opens backups that were sealed to its ``publicKey``. As text `backup-secret:` and 72 digits.
public struct BackupSecretKey: Sendable {
    package let key: GuardedKey
    public let publicKey: BackupPublicKey

    public static func generate() throws(VaultError) -> BackupSecretKey { BackupSecretKey(try .generate()) }

    package init(_ key: GuardedKey) {
        self.key = key
        publicKey = BackupPublicKey(bytes: SealedBox.publicKey(of: key))
    }

    /// - Throws: `bad-request` for anything else.
    public init(_ text: Secret) throws(VaultError) {
        var bytes = KeyDigits.read(text.reveal(), after: Self.prefix) ?? []
        defer { bytes.withUnsafeMutableBytes { wipe($0) } }
        guard !bytes.isEmpty else {
            throw VaultError(
                .badRequest, "that is no secret key of backups", hint: "it is a line that begins with \(Self.prefix)")
        }
        let key = try bytes.withUnsafeBytes { bytes in
            Result { () throws(VaultError) in try GuardedKey(copying: bytes) }
        }.get()
        self.init(key)
    }

    /// For the file it is kept in.
    public var text: Secret { Secret(Self.prefix + key.withBytes { KeyDigits.write(Array($0)) }) }

    public static let prefix = "backup-secret:"
}

/// 32 bytes and the first four of their BLAKE2b-256, in hexadecimal.
private enum KeyDigits {
    static func write(_ bytes: [UInt8]) -> String { Hex.encode(bytes + check(bytes)) }

    static func read(_ text: String, after prefix: String) -> [UInt8]? {
        guard text.hasPrefix(prefix), var all = Hex.decode(String(text.dropFirst(prefix.count))), all.count == 36
        else { return nil }
        defer { all.withUnsafeMutableBytes { wipe($0) } }
        let bytes = Array(all[..<32])
        return check(bytes) == Array(all[32...]) ? bytes : nil
    }

    private static func check(_ bytes: [UInt8]) -> [UInt8] {
        var hash = Blake2bStream()
        bytes.withUnsafeBytes { hash.update($0) }
        return Array(hash.finish().prefix(4))
    }
}
