import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOEmbedded
import NIOHTTPTypes
import Synchronization
import Testing
import Vault
import VaultBase

@testable import VaultHTTP

@Suite struct DirectAnswersTests {
    private let house: House
    private let session: String

    init() async throws {
        let house = try await House()
        let session = Mutex("")
        try await house.visit { browser in
            let one = try await browser.session()
            session.withLock { $0 = one }
        }
        self.house = house
        self.session = session.withLock { $0 }
    }

    private func tokens() throws -> TokensAtHand {
        let parts = try FacadeParts(vault: house.vault, options: house.options, now: house.limits.now)
        return TokensAtHand(
            parts: parts, rules: BrowserRules(parts: parts, endpoints: Facade.endpoints(parts)),
            observation: Observation(metrics: RequestMetrics(factory: house.metrics), logger: house.log.logger))
    }

    /// A connection with nothing behind it: what is handed on can be read, and nobody answers it.
    private func connection() async throws -> NIOAsyncTestingChannel {
        let tokens = try tokens()
        return try await NIOAsyncTestingChannel { try $0.pipeline.syncOperations.addHandler(DirectAnswers(tokens)) }
    }

    private func request(_ path: String = "/auth/acme/token", session: String? = nil) -> HTTPRequest {
        let bearer: HTTPFields = [.authorization: "Bearer \(session ?? self.session)"]
        return HTTPRequest(method: .get, scheme: nil, authority: "localhost", path: path, headerFields: bearer)
    }

    private func send(_ request: HTTPRequest, _ channel: NIOAsyncTestingChannel) async throws {
        try await channel.writeInbound(HTTPRequestPart.head(request))
        try await channel.writeInbound(HTTPRequestPart.end(nil))
        await channel.testingEventLoop.run()
    }

    /// How many requests were handed on, each whole.
    private func handedOn(_ channel: NIOAsyncTestingChannel) async throws -> Int {
        var count = 0
        while let part = try await channel.readInbound(as: HTTPRequestPart.self) {
            guard case .head = part else {
                Issue.record("handed on without its head: \(part)")
                break
            }
            #expect(try await channel.readInbound(as: HTTPRequestPart.self) == .end(nil))
            count += 1
        }
        return count
    }

    /// How many answers were given here.
    private func answered(_ channel: NIOAsyncTestingChannel) async throws -> Int {
        var count = 0
        while let part = try await channel.readOutbound(as: HTTPResponsePart.self) {
            if case .head(let head) = part { #expect(head.status == .ok) }
            if case .end = part { count += 1 }
        }
        return count
    }

    @Test func aFreshTokenIsAnsweredAtOnce() async throws {
        let channel = try await connection()
        for connection in [nil, "keep-alive", "Keep-Alive"] {
            var request = request()
            request.headerFields[.connection] = connection
            try await send(request, channel)
            guard case .head(let head) = try await channel.readOutbound(as: HTTPResponsePart.self),
                case .body(let body) = try await channel.readOutbound(as: HTTPResponsePart.self)
            else {
                Issue.record("not answered")
                return
            }
            #expect(try await channel.readOutbound(as: HTTPResponsePart.self) == .end(nil))
            #expect(head.headerFields[.contentLength] == String(body.readableBytes))
            #expect(try JSONValue(body)["accessToken"]?.string == "access-1")
        }
        #expect(try await handedOn(channel) == 0)
        let metrics = house.metrics.render()
        for line in [
            #"vault_http_requests_total{method="GET",route="/auth/{platform}/token",status="200"} 3"#,
            #"vault_token_reads_total{platform="acme"} 3"#, #"vault_session_checks_total{outcome="ok"} 3"#,
        ] {
            #expect(metrics.contains(line), "\(metrics)")
        }
        let lines = house.log.all.filter { $0.contains(" request ") && $0.contains("/auth/{platform}/token") }
        #expect(lines.count == 3 && lines.allSatisfy { $0.contains("microseconds") && $0.contains("hb.request.id") })
    }

    @Test func whatNeedsMoreIsHandedOn() async throws {
        let channel = try await connection()
        var requests = [
            request("/auth/acme/token?"), request("/auth/acme/token/"), request("/auth//token"), request("/auth/token"),
            request("/auth/%61cme/token"), request("/auth/acme/refresh"), request("/v1/users/u/connections/acme/token"),
            request("/auth/formal/token"), request("/auth/nobody/token"), request("/auth/broken/token"),
            request(session: ""), request(session: session + "x"), request(session: "e30.e30.e30"),
        ]
        for change: (inout HTTPRequest) -> Void in [
            { $0.method = .post }, { $0.method = .head }, { $0.path = nil },
            { $0.headerFields[.authorization] = nil }, { $0.headerFields[.authorization] = "Basic YTpi" },
            { $0.headerFields[values: .authorization] += ["Bearer other"] },
            { $0.headerFields[.connection] = "close" }, { $0.headerFields[.connection] = "keep-alive, Upgrade" },
            { $0.headerFields[.contentLength] = "0" }, { $0.headerFields[.transferEncoding] = "chunked" },
            { $0.headerFields[.expect] = "100-continue" }, { $0.headerFields[.upgrade] = "h2c" },
        ] {
            var request = request()
            change(&request)
            requests.append(request)
        }
        for request in requests {
            let channel = try await connection()
            try await send(request, channel)
            #expect(try await handedOn(channel) == 1, "\(request)")
            #expect(try await answered(channel) == 0, "\(request)")
        }
        #expect(house.metrics.render().contains(#"vault_token_reads_total{platform="acme"} 0"#))
        // A token that has ended.
        house.clock.advance(.seconds(3600))
        try await send(request(), channel)
        #expect(try await handedOn(channel) == 1)
    }

    @Test func anEndedSessionIsHandedOn() async throws {
        try await house.vault.revoke(try house.vault.session(Secret(session)))
        let channel = try await connection()
        try await send(request(), channel)
        #expect(try await handedOn(channel) == 1)
    }

    @Test func aBodyThatFollowsIsHandedOnWithItsHead() async throws {
        let channel = try await connection()
        let parts: [HTTPRequestPart] = [.head(request()), .body(ByteBuffer(string: "{}")), .end(nil)]
        for part in parts { try await channel.writeInbound(part) }
        for part in parts { #expect(try await channel.readInbound(as: HTTPRequestPart.self) == part) }
    }

    @Test func answersKeepTheOrderOfTheirRequests() async throws {
        let channel = try await connection()
        // The router's answers, as if there were one.
        func answer(_ count: Int) async throws {
            for _ in 0..<count {
                try await channel.writeOutbound(HTTPResponsePart.head(HTTPResponse(status: .ok)))
                try await channel.writeOutbound(HTTPResponsePart.end(nil))
            }
            #expect(try await answered(channel) == count)
        }
        try await send(request("/auth/acme/refresh"), channel)
        try await send(request(), channel)
        #expect(try await handedOn(channel) == 2)
        try await answer(1)
        try await send(request(), channel)
        #expect(try await handedOn(channel) == 1)
        try await answer(2)
        try await send(request(), channel)
        #expect(try await handedOn(channel) == 0)
        #expect(try await answered(channel) == 1)
    }

    @Test func whoTakesNoAnswersIsLeftToTheRouter() async throws {
        let channel = try await connection()
        channel.isWritable = false
        try await send(request(), channel)
        #expect(try await handedOn(channel) == 1)
    }

    /// It would be closed as idle while it is in use, or in the middle of an answer when the server stops.
    @Test func whoKnowsWhetherAConnectionIsInUseSeesTheAnswers() async throws {
        let limits = ListenerLimits()
        let edge = EdgeChannel(
            identity: nil, limits: limits,
            connections: Connections(limits, metrics: house.metrics) { _ in true }, direct: try tokens()
        ) { _, _, _ in }
        let channel = NIOAsyncTestingChannel()
        _ = try await channel.testingEventLoop.submit { [house] in
            _ = edge.setup(channel: channel, logger: house.log.logger)
        }.get()
        let pipeline = String(describing: channel.pipeline)
        let places = ["RequestClock", "HTTPConnectionStateHandler", "DirectAnswers", "NIOAsyncChannel"].map {
            pipeline.firstRange(of: $0)?.lowerBound
        }
        #expect(!places.contains(nil) && places.compactMap { $0 } == places.compactMap { $0 }.sorted(), "\(pipeline)")
        _ = try await channel.finish(acceptAlreadyClosed: true)
    }

    @Test func aServerThatStopsSendsWhatItHasAnswered() async throws {
        let (tokens, logger) = (try tokens(), house.log.logger)
        let channel = try await NIOAsyncTestingChannel {
            try $0.pipeline.syncOperations.addHandler(HTTPConnectionStateHandler(logger: logger))
            try $0.pipeline.syncOperations.addHandler(DirectAnswers(tokens))
        }
        try await channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).get()
        try await channel.writeInbound(HTTPRequestPart.head(request()))
        try await channel.writeInbound(HTTPRequestPart.end(nil))
        // The answer goes with the next turn of the loop; the word to stop comes before it.
        try await channel.testingEventLoop.executeInContext {
            channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
        }
        #expect(channel.isActive)
        await channel.testingEventLoop.run()
        #expect(try await answered(channel) == 1)
        #expect(!channel.isActive)
    }

    @Test func answersToWhatCameTogetherAreWhole() async throws {
        let channel = try await connection()
        let request = request()
        try await channel.testingEventLoop.executeInContext {
            for _ in 0..<3 {
                channel.pipeline.fireChannelRead(HTTPRequestPart.head(request))
                channel.pipeline.fireChannelRead(HTTPRequestPart.end(nil))
            }
            channel.pipeline.fireChannelReadComplete()
        }
        await channel.testingEventLoop.run()
        #expect(try await answered(channel) == 3)
    }

    @Test func bothWaysGiveTheSameAnswer() async throws {
        let (house, session) = (house, session)
        var options = house.options
        options.port = 0
        options.allowedOrigins = ["https://app.example"]
        let ready = options
        try await serving({
            Facade(vault: house.vault, options: ready, logger: house.log.logger, bound: $0)
        }) { port in
            let text = try await RawClient.onOwnThread { () throws -> String in
                let client = try #require(RawClient(port: port))
                let head =
                    "GET /auth/acme/token HTTP/1.1\r\nHost: localhost\r\nOrigin: https://app.example\r\n"
                    + "Authorization: Bearer \(session)\r\n"
                // Direct; one that says that it has no body, by the router; one behind it, by the router, and the end.
                client.send(head + "\r\n" + head + "Content-Length: 0\r\n\r\n" + head + "Connection: close\r\n\r\n")
                return try #require(client.readToEnd())
            }
            let answers = text.split(separator: "HTTP/1.1 200 OK\r\n").map { answer in
                answer.split(separator: "\r\n").map { line in
                    // What differs from one answer to the next, but not in its form.
                    ["x-request-id: ", "date: "].contains { line.lowercased().hasPrefix($0) }
                        ? String(line.map { $0.isNumber || $0.isLetter ? "x" : $0 }) : String(line)
                }.sorted()
            }
            #expect(answers.count == 3)
            #expect(Set(answers).count == 1, "\(text)")
            #expect(text.contains("https://app.example"))
        }
    }

    @Test(
        .enabled(if: Shell.can("curl --version | grep -q HTTP2"), "curl with HTTP/2 is not installed"),
        .enabled(if: Certificate.canBeMade, "openssl is not installed"), arguments: ["--http2", "--http1.1"])
    func bothProtocolsAreAnswered(_ option: String) async throws {
        let certificate = try await Certificate()
        var options = house.options
        options.port = 0
        options.tls = try certificate.identity()
        let ready = options
        try await serving({ [house] in
            Facade(vault: house.vault, options: ready, logger: house.log.logger, bound: $0)
        }) { [session] port in
            // Three times by one connection: direct, by the router, direct.
            let url = "https://localhost:\(port)/auth/acme/token"
            let answers = try await Shell.run(
                "cat > ca.pem; curl -sS -m 20 \(option) -w '%{http_code} %{num_connects}\\n' --cacert ca.pem "
                    + "--resolve localhost:\(port):127.0.0.1 -H 'Authorization: Bearer \(session)' "
                    + "\(url) '\(url)?' \(url)", input: String(decoding: certificate.chain, as: UTF8.self))
            let lines = answers.output.split(separator: "\n")
            #expect(lines.map { $0.suffix(5) } == ["200 1", "200 0", "200 0"], "\(answers.output)")
            #expect(lines.allSatisfy { $0.hasPrefix(#"{"accessToken":"access-1""#) }, "\(answers.output)")
        }
    }
}
