import HummingbirdTesting
import NIOSSL
import Testing
import VaultBase

@testable import VaultHTTP

/// A certificate for `localhost` that vouches for itself, made by openssl.
struct Certificate {
    let chain: [UInt8]
    let key: Secret

    static let canBeMade = Shell.can("openssl version")

    init() async throws {
        let made = try await Shell.run(
            "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=localhost "
                + "-addext subjectAltName=DNS:localhost -keyout key.pem -out chain.pem 2>/dev/null "
                + "&& cat chain.pem && echo ==== && cat key.pem")
        let middle = try #require(made.output.firstRange(of: "====\n"), "\(made.output)")
        chain = Array(made.output[..<middle.lowerBound].utf8)
        key = Secret(String(made.output[middle.upperBound...]))
    }

    func identity() throws -> TLSIdentity { try TLSIdentity(certificates: chain, key: key) }

    /// A client that trusts this certificate alone.
    func client() throws -> TestClient.Configuration {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(chain))
        return TestClient.Configuration(tlsConfiguration: configuration, serverName: "localhost")
    }
}
