import Glibc
import Logging
import VaultBase
import VaultCrypto

/// The key that wraps the vault's keyring: where it is, and how it is fetched.
struct RootKeySource: Sendable {
    let reference: SecretReference
    /// What the operator wrote, for messages; never the key.
    let words: String

    /// `ENCRYPTION_KEY` wins over the file's `key.source`, and the command line over both.
    init(_ settings: Settings, environment: [String: String]) throws(VaultError) {
        var isOption = false
        if case .option = settings.origin(\.keySource) { isOption = true }
        if environment["ENCRYPTION_KEY"]?.isEmpty == false, !isOption {
            reference = .environment("ENCRYPTION_KEY")
            words = "ENCRYPTION_KEY"
            return
        }
        let source = settings[\.keySource]
        if source.hasPrefix("passphrase") || source.hasPrefix("kms:") {
            throw settings.fault(
                \.keySource, "is of a kind this version does not know",
                hint: "use file:PATH, credential:NAME, command:… or env:NAME")
        }
        reference = SecretReference(source)
        words = source
    }

    /// The file, when it is one: what `init` makes and what stands beside it.
    var file: String? {
        if case .file(let path) = reference { return path }
        return nil
    }

    /// Fetches the key. One from the environment is taken out of it, so that no child inherits it.
    ///
    /// - Throws: `wrong-key` when it is not 32 bytes; what ``PrivateFile`` and ``SecretReference`` throw.
    func fetch(environment: [String: String], logger: Logger? = nil) throws(VaultError) -> GuardedKey {
        var text: [UInt8]
        if let file {
            do {
                text = try PrivateFile.read(file, limit: 4096, mode: .key)
            } catch  where error.code == .notFound {
                throw VaultError(
                    .noStore, "there is no key at \(file)", hint: "make a key and a vault with: vault init")
            }
        } else {
            text = try reference.fetch("key.source", environment: environment).withBytes { Array($0) }
        }
        if case .environment(let name) = reference {
            unsetenv(name)
            logger?.warning(
                "the root key came by the environment: any process of this user can read it there",
                metadata: ["hint": "put it into a file: key.source = \"file:…\""])
        }
        defer { text.withUnsafeMutableBytes { explicit_bzero($0.baseAddress!, $0.count) } }
        var mayBeRaw = true
        if case .environment = reference { mayBeRaw = false }
        guard var bytes = Self.read(text, mayBeRaw: mayBeRaw) else {
            throw VaultError(
                .wrongKey, "\(words) does not hold a key", hint: "a key is 32 bytes, as hex or base64")
        }
        defer { bytes.withUnsafeMutableBytes { explicit_bzero($0.baseAddress!, $0.count) } }
        let buffer = bytes
        var key: GuardedKey?
        var fault: VaultError?
        buffer.withUnsafeBytes { raw in
            do throws(VaultError) { key = try GuardedKey(copying: raw) } catch { fault = error }
        }
        guard let key else { throw fault ?? VaultError(.internal, "the key cannot be kept in memory") }
        return key
    }

    /// Makes a new key file, 0400: 64 hexadecimal digits and a line end.
    ///
    /// - Throws: `conflict` when it is there.
    func create() throws(VaultError) {
        guard let file else {
            throw VaultError(
                .settings, "a key can be made in a file only, and key.source is \(words)",
                hint: "make one of 32 bytes there: openssl rand -hex 32")
        }
        var bytes = Random.bytes(GuardedKey.size)
        defer { bytes.withUnsafeMutableBytes { explicit_bzero($0.baseAddress!, $0.count) } }
        try PrivateFile.create(file, Array(Hex.encode(bytes).utf8) + [0x0A])
    }

    /// 32 bytes in hex or in base64, with or without a line end, or as they are.
    static func read(_ text: [UInt8], mayBeRaw: Bool) -> [UInt8]? {
        if mayBeRaw, text.count == GuardedKey.size { return text }
        let line = String(decoding: text, as: UTF8.self).trimmed
        for bytes in [Hex.decode(line), Base64.decode(line)] {
            if let bytes, bytes.count == GuardedKey.size { return bytes }
        }
        return nil
    }
}
