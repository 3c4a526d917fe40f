import HummingbirdCore
import HummingbirdTLS
import VaultBase

/// What both listeners are made of.
enum Listener {
    /// HTTP/1.1 with our limits, inside TLS when there is a certificate.
    ///
    /// - Throws: `file` for a certificate or key that cannot be used.
    static func server(tls: (certificates: String, key: String)?) throws(VaultError) -> HTTPServerBuilder {
        let plain = HTTPServerBuilder.http1(
            configuration: .init(
                idleTimeout: Limits.idle,
                httpDecoderConfiguration: .init(
                    maxHeaderFieldSize: Limits.headers, maxHeaderListSize: Limits.headers,
                    maxHeaderFieldCount: Limits.headerFields)))
        guard let tls else { return plain }
        do {
            var configuration = TLSConfiguration.makeServerConfiguration(
                certificateChain: try NIOSSLCertificate.fromPEMFile(tls.certificates).map { .certificate($0) },
                privateKey: .privateKey(try NIOSSLPrivateKey(file: tls.key, format: .pem)))
            configuration.minimumTLSVersion = .tlsv12
            return try .tls(plain, tlsConfiguration: configuration)
        } catch {
            throw VaultError(
                .file, "the certificate \(tls.certificates) or its key \(tls.key) cannot be used",
                hint: "both are PEM files, and the key is the certificate's own", cause: error)
        }
    }
}
