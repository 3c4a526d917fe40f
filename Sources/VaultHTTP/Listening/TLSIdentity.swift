import NIOSSL
import Synchronization
public import VaultBase

/// The certificate a listener shows and the key behind it, which can be replaced while it serves: a
/// connection ends with the pair it began with, the next one gets the new.
public final class TLSIdentity: Sendable {
    private struct Current {
        var context: NIOSSLContext
        var endsAt: Timestamp
    }

    private let current: Mutex<Current>

    /// - Parameters:
    ///   - certificates: PEM, the listener's own first, then those that vouch for it.
    ///   - key: PEM, without a passphrase.
    /// - Throws: `file` for a pair that cannot be used.
    public init(certificates: [UInt8], key: Secret) throws(VaultError) {
        current = Mutex(try Self.read(certificates, key))
    }

    /// - Throws: as ``init(certificates:key:)``; the pair there is stays.
    public func replace(certificates: [UInt8], key: Secret) throws(VaultError) {
        let new = try Self.read(certificates, key)
        current.withLock { $0 = new }
    }

    /// When the certificate ends.
    public var endsAt: Timestamp { current.withLock { $0.endsAt } }

    /// For one connection. Tickets of an earlier pair resume nothing here: each context has keys of its own.
    var context: NIOSSLContext { current.withLock { $0.context } }

    private static func read(_ certificates: [UInt8], _ key: Secret) throws(VaultError) -> Current {
        do {
            let chain = try NIOSSLCertificate.fromPEMBytes(certificates)
            guard let first = chain.first else { throw NIOSSLError.failedToLoadCertificate }
            let key = try key.withBytes { try NIOSSLPrivateKey(bytes: Array($0), format: .pem) }
            var configuration = TLSConfiguration.makeServerConfiguration(
                certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
            configuration.minimumTLSVersion = .tlsv12
            // RFC 9325 §4.2: forward secrecy and authenticated encryption alone. TLS 1.3 has no others.
            configuration.cipherSuites = "ECDHE+AESGCM:ECDHE+CHACHA20"
            configuration.applicationProtocols = ["h2", "http/1.1"]
            return Current(
                // BoringSSL refuses a key that is not the certificate's.
                context: try NIOSSLContext(configuration: configuration),
                endsAt: Timestamp(seconds: Int64(first.notValidAfter)))
        } catch {
            throw VaultError(
                .file, "the TLS certificate and its key cannot be used",
                hint: "both are PEM files, and the key is the certificate's own", cause: error)
        }
    }
}
