import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Testing
import VaultBase

@testable import VaultHTTP

@Suite(.enabled(if: Certificate.canBeMade, "openssl is not installed")) struct TLSTests {
    /// Serves with the certificate on a free port.
    private func serving(
        _ identity: TLSIdentity, _ change: (inout Facade.Options) -> Void = { _ in },
        _ body: @Sendable (Int) async throws -> Void
    ) async throws {
        let house = try await House()
        var options = house.options
        options.port = 0
        options.tls = identity
        change(&options)
        let ready = options
        try await VaultHTTPTests.serving(
            { Facade(vault: house.vault, options: ready, logger: house.log.logger, bound: $0) }, house.log, body)
    }

    private func curl(
        _ arguments: String, _ certificate: Certificate, _ port: Int, before: String = ""
    ) async throws -> (status: Int32, output: String) {
        try await Shell.run(
            "cat > ca.pem; \(before) curl -sS -m 20 -D - --cacert ca.pem --resolve localhost:\(port):127.0.0.1 \(arguments)",
            input: String(decoding: certificate.chain, as: UTF8.self))
    }

    @Test(
        .enabled(if: Shell.can("curl --version | grep -q HTTP2"), "curl with HTTP/2 is not installed"),
        arguments: [("--http2", "HTTP/2 200"), ("--http1.1", "HTTP/1.1 200"), ("--no-alpn", "HTTP/1.1 200")])
    func theTwoEndsAgreeOnTheProtocol(_ option: String, _ answered: String) async throws {
        let certificate = try await Certificate()
        try await serving(certificate.identity()) { port in
            let answer = try await self.curl(
                "\(option) -X POST https://localhost:\(port)/auth/acme/login", certificate, port)
            #expect(answer.output.contains(answered), "\(answer.output)")
            #expect(answer.output.lowercased().contains("strict-transport-security: max-age=31536000\r\n"))
            #expect(answer.output.contains("__Host-vault-login="))
        }
    }

    @Test(
        .enabled(if: Shell.can("curl --version | grep -q HTTP2"), "curl with HTTP/2 is not installed"),
        arguments: ["--http2", "--http1.1"])
    func aBodyThatIsTooLargeIsAnsweredInBoth(_ option: String) async throws {
        let certificate = try await Certificate()
        try await serving(certificate.identity()) { port in
            for length in ["", "-H 'Transfer-Encoding: chunked'"] {
                let answer = try await self.curl(
                    "\(option) -X POST -H 'Content-Type: application/json' \(length) --data-binary @large "
                        + "https://localhost:\(port)/auth/acme/login", certificate, port,
                    before: "head -c 200000 /dev/zero > large;")
                #expect(answer.output.contains(" 413 ") && answer.output.contains("\"too-large\""), "\(answer.output)")
            }
        }
    }

    @Test(
        .enabled(if: Shell.can("curl --version"), "curl is not installed"),
        arguments: [
            "--tls-max 1.1", "--tls-max 1.2 --ciphers AES128-SHA", "--tls-max 1.2 --ciphers ECDHE-ECDSA-AES128-SHA",
        ])
    func whatIsTooWeakIsRefused(_ option: String) async throws {
        let certificate = try await Certificate()
        try await serving(certificate.identity()) { port in
            let weak = try await self.curl(
                "\(option) https://localhost:\(port)/auth/platforms", certificate, port)
            #expect(weak.status != 0, "\(weak.output)")
            let fine = try await self.curl(
                "--tls-max 1.2 https://localhost:\(port)/auth/platforms", certificate, port)
            #expect(fine.status == 0, "\(fine.output)")
        }
    }

    @Test func aNewCertificateDropsNoConnection() async throws {
        let (old, new) = (try await Certificate(), try await Certificate())
        let identity = try old.identity()
        try await serving(identity) { port in
            let (trustingOld, trustingNew) = (try old.client(), try new.client())
            try await TestClient.withClient(host: "127.0.0.1", port: port, configuration: trustingOld) {
                first async throws in
                #expect(try await first.get("/auth/platforms").status == .ok)
                try identity.replace(certificates: new.chain, key: new.key)
                // The connection there is goes on; the next one gets the new certificate.
                #expect(try await first.get("/auth/platforms").status == .ok)
                try await TestClient.withClient(host: "127.0.0.1", port: port, configuration: trustingNew) {
                    next async throws in
                    #expect(try await next.get("/auth/platforms").status == .ok)
                }
                await #expect(throws: (any Error).self) {
                    try await TestClient.withClient(host: "127.0.0.1", port: port, configuration: trustingOld) {
                        _ = try await $0.get("/auth/platforms")
                    }
                }
                #expect(try await first.get("/auth/platforms").status == .ok)
            }
        }
    }

    @Test func aPairThatCannotBeUsedChangesNothing() async throws {
        let (old, new) = (try await Certificate(), try await Certificate())
        let identity = try old.identity()
        let before = identity.context
        for (chain, key) in [
            (new.chain, old.key), ([], old.key), (Array("nonsense".utf8), old.key), (new.chain, Secret("nonsense")),
            (Array(new.chain.prefix(200)), new.key),
        ] {
            let error = #expect(throws: VaultError.self) { try identity.replace(certificates: chain, key: key) }
            #expect(error?.code == .file)
        }
        #expect(identity.context === before)
        #expect(identity.endsAt > SystemClock().now())
    }

    @Test func aHandshakeThatDoesNotComeEndsTheConnection() async throws {
        let certificate = try await Certificate()
        try await serving(certificate.identity(), { $0.limits.headTime = .milliseconds(200) }) { port in
            try await RawClient.onOwnThread {
                let silent = try #require(RawClient(port: port))
                #expect(silent.readToEnd() == "")
                let dripping = try #require(RawClient(port: port))
                #expect(dripping.drip("\u{16}\u{03}\u{01}\u{02}" + String(repeating: "\u{00}", count: 800)))
            }
        }
    }

    @Test func connectionsOfOneAddressAreLimited() async throws {
        let certificate = try await Certificate()
        try await serving(certificate.identity(), { $0.limits.connectionsPerAddress = 2 }) { port in
            try await RawClient.onOwnThread {
                let open = (0..<2).compactMap { _ in RawClient(port: port) }
                let third = RawClient(port: port)
                #expect(third == nil || third?.readToEnd() == "")
                #expect(open.count == 2)
            }
        }
    }

    @Test func strictTransportSecurityCanBeLeftToOthers() async throws {
        let certificate = try await Certificate()
        try await serving(certificate.identity(), { $0.strictTransportSecurity = .zero }) { port in
            let trusting = try certificate.client()
            try await TestClient.withClient(host: "127.0.0.1", port: port, configuration: trusting) {
                client async throws in
                #expect(try await client.get("/auth/platforms").headers[.strictTransportSecurity] == nil)
            }
        }
    }
}

@Suite struct RedirectTests {
    private func visit(_ body: @escaping @Sendable (TestClient) async throws -> Void) async throws {
        let log = LogLines()
        try await serving({ bound in
            try RedirectListener(
                host: "127.0.0.1", port: 0, publicURL: "https://api.example.com/", logger: log.logger, bound: bound)
        }) { port in
            try await TestClient.withClient(host: "127.0.0.1", port: port, operation: body)
        }
    }

    @Test func sendsBrowsersToTheSamePathOverTLS() async throws {
        try await visit { client in
            for path in ["/", "/auth/platforms", "/auth/acme/callback?code=a&state=b%20c", "//elsewhere.example/x"] {
                let answer = try await client.get(path)
                #expect(answer.status == .permanentRedirect)
                #expect(answer.headers[.location] == "https://api.example.com\(path)")
            }
            #expect(try await client.head("/").status == .permanentRedirect)
        }
    }

    @Test func aSecretThatCameByPlainHTTPIsNotCoveredUp() async throws {
        try await visit { client in
            for answer in [
                try await client.get("/auth/acme/token", headers: [.authorization: "Bearer x"]),
                try await client.post("/auth/acme/login", body: .init()),
                try await client.delete("/auth/acme", body: .init()),
            ] {
                #expect(answer.status == .forbidden)
                #expect(answer.headers[.contentType] == "application/problem+json")
                #expect(answer.headers[.location] == nil)
            }
        }
    }

    @Test(arguments: ["http://api.example.com", "api.example.com", ""])
    func whereThereIsNoTLSNobodyIsSent(_ address: String) {
        let error = #expect(throws: VaultError.self) {
            _ = try RedirectListener(host: "127.0.0.1", port: 0, publicURL: address, logger: LogLines().logger)
        }
        #expect(error?.code == .settings)
    }
}
