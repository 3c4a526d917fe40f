import Glibc
import Logging
import VaultBase
import VaultCrypto

/// What unlocks the vault: where it is, and how it is fetched.
struct RootKeySource: Sendable {
    enum Kind: Sendable, Equatable {
        /// 32 bytes.
        case key(SecretReference)
        /// Asked for on the terminal without a reference.
        case passphrase(SecretReference?)
        /// Asked for on the terminal, or read from standard input, without a reference.
        case recovery(SecretReference?)
    }

    let kind: Kind
    /// What the operator wrote, for messages; never the key.
    let words: String

    /// `ENCRYPTION_KEY` wins over the file's `key.source`, and the command line over both.
    init(_ settings: Settings, environment: [String: String]) throws(VaultError) {
        var isOption = false
        if case .option = settings.origin(\.keySource) { isOption = true }
        if environment["ENCRYPTION_KEY"]?.isEmpty == false, !isOption {
            kind = .key(.environment("ENCRYPTION_KEY"))
            words = "ENCRYPTION_KEY"
            return
        }
        let source = settings[\.keySource]
        guard let kind = Self.kind(source) else {
            throw settings.fault(\.keySource, "is of a kind this version does not know", hint: Self.kinds)
        }
        self.kind = kind
        words = source
    }

    /// One that is written as `key.source` is.
    init(_ text: String) throws(VaultError) {
        guard let kind = Self.kind(text) else {
            throw VaultError(.badRequest, "\"\(Terminal.plain(text))\" is no source of a key", hint: Self.kinds)
        }
        self.kind = kind
        words = text
    }

    static let kinds = "use file:PATH, credential:NAME, command:…, env:NAME, passphrase or recovery:"

    /// nil for a key that is written out, and for what no version knew.
    static func kind(_ text: String) -> Kind? {
        for (name, make) in [("passphrase", Kind.passphrase), ("recovery", Kind.recovery)] where text.hasPrefix(name) {
            var rest = text.dropFirst(name.count)
            if rest.isEmpty { return make(nil) }
            guard rest.removeFirst() == ":" else { return nil }
            if rest.isEmpty { return make(nil) }
            let reference = SecretReference(String(rest))
            if case .literal = reference { return nil }
            return make(reference)
        }
        let reference = SecretReference(text)
        if case .literal = reference { return nil }
        return .key(reference)
    }

    /// The file, when it is one: what `init` makes and what stands beside it.
    var file: String? {
        if case .key(.file(let path)) = kind { return path }
        return nil
    }

    /// Fetches the key. One from the environment is taken out of it, so that no child inherits it.
    ///
    /// - Throws: `wrong-key` when it is not 32 bytes; what ``PrivateFile`` and ``SecretReference`` throw.
    func fetch(environment: [String: String], logger: Logger? = nil) throws(VaultError) -> UnlockKey {
        switch kind {
        case .key(let reference):
            return .key(try key(reference, environment: environment, logger: logger))
        case .passphrase(let reference):
            return .passphrase(try Self.passphrase(reference, environment: environment))
        case .recovery(let reference):
            return .key(try Self.recoveryKey(reference, environment: environment).key)
        }
    }

    private func key(
        _ reference: SecretReference, environment: [String: String], logger: Logger?
    ) throws(VaultError) -> GuardedKey {
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
            ProcessRules.forget(name)
            let words = "the root key came by the environment: any process of this user can read it there"
            if let logger {
                logger.warning("\(words)", metadata: ["hint": "put it into a file: key.source = \"file:…\""])
            } else {
                Terminal.warn(words)
            }
        }
        defer { text.withUnsafeMutableBytes { explicit_bzero($0.baseAddress!, $0.count) } }
        var mayBeRaw = true
        if case .environment = reference { mayBeRaw = false }
        guard var bytes = Self.read(text, mayBeRaw: mayBeRaw) else {
            throw VaultError(
                .wrongKey, "\(words) does not hold a key", hint: "a key is 32 bytes, as hex or base64")
        }
        defer { bytes.withUnsafeMutableBytes { explicit_bzero($0.baseAddress!, $0.count) } }
        // From the one buffer that is wiped: a copy of it would be left behind.
        return try bytes.withUnsafeBytes { raw in
            Result { () throws(VaultError) in try GuardedKey(copying: raw) }
        }.get()
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
