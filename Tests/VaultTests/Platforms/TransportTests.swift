import Glibc
import NIOSSL
import Testing
import VaultBase
import VaultProviders

@testable import Vault

@Suite struct TransportTests {
    private static let transport = HTTPTransport()

    private func send(
        _ url: String, hosts: [String] = ["127.0.0.1"], loopback: Bool = true,
        headers: [(name: String, value: String)] = [],
        timeout: Duration = .seconds(10), by transport: HTTPTransport = transport
    ) async -> Result<ProviderAnswer, ProviderFailure> {
        do throws(ProviderFailure) {
            var description = ProviderDescription(id: "raw", displayName: "Raw", issuer: "https://raw.example")
            description.hosts = hosts
            let name: PlatformName
            do {
                name = try PlatformName("raw")
            } catch { preconditionFailure("\(error)") }
            let platform = Platform(
                name: name, provider: Provider(description: description), clientID: "client", clientSecret: nil,
                redirectURI: "https://vault.example/auth/raw/callback", insecureLoopback: loopback)
            let request = ProviderRequest(
                method: "POST", url: url,
                headers: [("Content-Type", "application/x-www-form-urlencoded"), ("User-Agent", "x")] + headers,
                body: Array("grant_type=refresh_token&refresh_token=secret".utf8))
            return .success(try await transport.send(request, for: platform, timeout: timeout))
        } catch {
            return .failure(error)
        }
    }

    private func failure(_ result: Result<ProviderAnswer, ProviderFailure>) -> ProviderFailure? {
        if case .failure(let failure) = result { return failure }
        return nil
    }

    @Test func carriesARequestAndItsAnswer() async throws {
        let server = try await RawServer.start(
            .bytes("HTTP/1.1 400 Bad Request\r\nContent-Length: 25\r\nX-A: b\r\n\r\n{\"error\":\"invalid_grant\"}"))
        let answer = try await send("http://127.0.0.1:\(server.port)/token").get()
        #expect(answer.status == 400)
        #expect(answer.header("x-a") == "b")
        #expect(String(decoding: answer.body, as: UTF8.self) == "{\"error\":\"invalid_grant\"}")
        let request = try #require(server.requests.first)
        #expect(request.hasPrefix("POST /token HTTP/1.1\r\n"))
        #expect(request.hasSuffix("grant_type=refresh_token&refresh_token=secret"))
        #expect(request.contains("\r\nUser-Agent: vault/\(Vault.version)\r\n"))
        #expect(!request.lowercased().contains("accept-encoding"))
        await server.stop()
    }

    @Test func followsNoRedirect() async throws {
        let other = try await RawServer.start(.bytes("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))
        let server = try await RawServer.start(
            .bytes(
                "HTTP/1.1 307 Temporary\r\nLocation: http://127.0.0.1:\(other.port)/token\r\nContent-Length: 0\r\n\r\n")
        )
        #expect(try await send("http://127.0.0.1:\(server.port)/token").get().status == 307)
        #expect(other.requests.isEmpty)
        await server.stop()
        await other.stop()
    }

    @Test(arguments: [
        "HTTP/1.1 200 OK\r\nContent-Length: 262145\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    ])
    func anAnswerEndsAtItsLimit(head: String) async throws {
        let body = String(repeating: "a", count: 262_145)
        let isChunked = head.contains("chunked")
        let server = try await RawServer.start(
            .bytes(head + (isChunked ? "\(String(262_145, radix: 16))\r\n\(body)\r\n0\r\n\r\n" : body)))
        let found = failure(await send("http://127.0.0.1:\(server.port)/token"))
        #expect(found?.code == "answer-too-long")
        // It was a success: the token may be spent.
        #expect(found?.leavesDoubt == true)
        await server.stop()
    }

    @Test func aCompressedAnswerIsNotUnpacked() async throws {
        let server = try await RawServer.start(
            .bytes("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd"))
        #expect(try await send("http://127.0.0.1:\(server.port)/token").get().body == Array("abcd".utf8))
        await server.stop()
    }

    @Test func callsOnlyThePlatformsHosts() async throws {
        let server = try await RawServer.start(.bytes("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))
        for (url, hosts, loopback) in [
            ("http://127.0.0.1:\(server.port)/", ["other.example"], true),
            ("http://127.0.0.1:\(server.port)/", ["127.0.0.1"], false),
            ("http://127.0.0.1:\(server.port)@other.example/", ["127.0.0.1"], true),
            ("http://localhost:\(server.port)/", ["localhost"], true),
            ("file:///etc/passwd", ["127.0.0.1"], true),
        ] {
            let found = failure(await send(url, hosts: hosts, loopback: loopback))
            #expect(found?.code == "host-refused", "\(url)")
            #expect(found?.failure == .operatorAction)
        }
        let found = failure(await send("https://127.0.0.1:\(server.port)/", loopback: false))
        #expect(found?.code == "address-refused")
        #expect(server.requests.isEmpty)
        await server.stop()
    }

    @Test func aHeaderCannotBeSmuggledIn() async throws {
        let server = try await RawServer.start(.bytes("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))
        let found = await send("http://127.0.0.1:\(server.port)/", headers: [("X-A", "b\r\nX-Evil: c")])
        #expect(failure(found) != nil)
        #expect(!server.requests.contains { $0.contains("X-Evil") })
        await server.stop()
    }

    @Test func nobodyThereMeansNothingWasSent() async throws {
        // Bound and not listened at: nobody else can have this port meanwhile.
        let silent = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(silent) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafeMutablePointer(to: &address) { address in
            address.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                _ = bind(silent, $0, size)
                _ = getsockname(silent, $0, &size)
            }
        }
        let port = UInt16(bigEndian: address.sin_port)
        try #require(port > 0)
        let found = failure(await send("http://127.0.0.1:\(port)/token"))
        #expect(found?.code == "connect-failed")
        #expect(found?.leavesDoubt == false)
        #expect(found?.failure == .retry)
    }

    @Test func anUnknownNameMeansNothingWasSent() async throws {
        let found = failure(await send("https://no-such-host.invalid/token", hosts: ["no-such-host.invalid"]))
        #expect(found?.code == "dns-failed")
        #expect(found?.leavesDoubt == false)
    }

    @Test func whatSpeaksNoTLSGetsNothing() async throws {
        let server = try await RawServer.start(.bytes("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))
        let found = failure(await send("https://127.0.0.1:\(server.port)/token"))
        #expect(found?.code == "tls-failed")
        #expect(found?.leavesDoubt == false)
        #expect(!server.requests.contains { $0.contains("secret") })
        await server.stop()
    }

    @Test func aCertificateNobodyVouchesForIsRefused() async throws {
        let mine = try TLSServer.certificate(TLSServer.ofThisAddress)
        let server = try await TLSServer.start(mine)
        let found = failure(await send("https://127.0.0.1:\(server.port)/token"))
        #expect(found?.code == "tls-failed")
        #expect(found?.leavesDoubt == false)
        // It is nothing but that: whoever trusts it is served.
        let trusting = HTTPTransport(trustRoots: .certificates([mine]))
        #expect(try await send("https://127.0.0.1:\(server.port)/token", by: trusting).get().status == 200)
        await server.stop()
    }

    @Test func aCertificateOfAnotherNameIsRefused() async throws {
        let other = try TLSServer.certificate(TLSServer.ofOtherExample)
        let server = try await TLSServer.start(other)
        let trusting = HTTPTransport(trustRoots: .certificates([other]))
        #expect(failure(await send("https://127.0.0.1:\(server.port)/token", by: trusting))?.code == "tls-failed")
        await server.stop()
    }

    @Test func offersNoVersionBeforeTLS12() async throws {
        let server = try await RawServer.start(.hangUp)
        _ = await send("https://127.0.0.1:\(server.port)/token")
        let versions = try Self.versions(offeredIn: server.bytes)
        #expect(versions.filter { $0 & 0x0F0F != 0x0A0A } == [0x0304, 0x0303])
        await server.stop()
    }

    /// The extension `supported_versions` of a ClientHello (RFC 8446 §4.2.1).
    private static func versions(offeredIn hello: [UInt8]) throws -> [Int] {
        func number(_ offset: Int) throws -> Int {
            try #require(offset + 1 < hello.count, "the ClientHello ends early")
            return Int(hello[offset]) << 8 | Int(hello[offset + 1])
        }
        try #require(hello.count > 43 && hello[0] == 22 && hello[5] == 1, "this is no ClientHello")
        // Behind the record's head, the handshake's, the version and the random number: three lists, then extensions.
        var offset = 43
        offset += 1 + Int(hello[offset])
        offset += 2 + (try number(offset))
        offset += 1 + Int(hello[offset])
        let end = offset + 2 + (try number(offset))
        offset += 2
        while offset < end {
            let (kind, length) = (try number(offset), try number(offset + 2))
            if kind == 43 { return try stride(from: offset + 5, to: offset + 4 + length, by: 2).map(number) }
            offset += 4 + length
        }
        Issue.record("no version is offered by name")
        return []
    }

    @Test func aHangUpAfterSendingLeavesDoubt() async throws {
        let server = try await RawServer.start(.hangUp)
        let found = failure(await send("http://127.0.0.1:\(server.port)/token"))
        #expect(found?.failure == .retry)
        #expect(found?.leavesDoubt == true)
        await server.stop()
    }

    @Test func silenceEndsAtTheTimeout() async throws {
        let server = try await RawServer.start(.silence)
        let found = failure(await send("http://127.0.0.1:\(server.port)/token", timeout: .seconds(2)))
        #expect(found?.code == "timeout")
        #expect(found?.leavesDoubt == true)
        await server.stop()
    }
}
