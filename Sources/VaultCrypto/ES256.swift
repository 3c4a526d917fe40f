import Crypto
import FoundationEssentials
public import VaultBase

/// ECDSA on P-256 with SHA-256, as JSON Web Signatures have it (RFC 7518 §3.4): a private key that signs.
///
/// The one thing here that libsodium cannot do. The key is in ordinary memory, as the TLS key is: what it signs are
/// names of a client, never anything of the vault's.
public struct ES256: Sendable {
    private let key: P256.Signing.PrivateKey

    /// A PEM text: PKCS #8 (`BEGIN PRIVATE KEY`, Apple's `.p8`) or SEC 1 (`BEGIN EC PRIVATE KEY`).
    ///
    /// - Throws: `settings` when it is none, or a key of another curve; the text is not quoted.
    public init(pem: Secret) throws(VaultError) {
        do {
            key = try P256.Signing.PrivateKey(pemRepresentation: pem.reveal())
        } catch {
            throw VaultError(
                .settings, "it is not a private key of P-256 in PEM form",
                hint:
                    "an .p8 file as it was downloaded; or: openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256"
            )
        }
    }

    /// 64 bytes, r and s one after the other.
    ///
    /// - Throws: `internal` when the library cannot sign.
    public func signature(of message: some Collection<UInt8>) throws(VaultError) -> [UInt8] {
        do {
            return Array(try key.signature(for: Array(message)).rawRepresentation)
        } catch {
            throw VaultError(.internal, "P-256 did not sign", cause: error)
        }
    }

    /// The public half in PEM form (SubjectPublicKeyInfo).
    public var publicKey: String { key.publicKey.pemRepresentation }

    /// Whether `signature` is one of `message` by the holder of the public key in PEM form.
    public static func verifies(_ signature: [UInt8], of message: some Collection<UInt8>, publicKey: String) -> Bool {
        guard let key = try? P256.Signing.PublicKey(pemRepresentation: publicKey),
            let signature = try? P256.Signing.ECDSASignature(rawRepresentation: signature)
        else { return false }
        return key.isValidSignature(signature, for: Array(message))
    }
}
