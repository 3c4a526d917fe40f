import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Metrics
import NIOCore
import ServiceLifecycle
import ServiceLifecycleTestKit
import Synchronization
import Testing
import Vault
import VaultBase
import VaultRecords
import VaultStore

@testable import VaultHTTP

/// Runs a listener on a free port while `body` uses it, then stops it as SIGTERM would.
func serving(
    _ make: (@escaping @Sendable (Int) async -> Void) throws -> any Service, _ logger: LogLines = LogLines(),
    _ body: @Sendable (Int) async throws -> Void
) async throws {
    let (ports, port) = AsyncStream.makeStream(of: Int.self)
    let service = try make { port.yield($0) }
    let group = ServiceGroup(services: [service], logger: logger.logger)
    try await withThrowingTaskGroup(of: Void.self) { tasks in
        tasks.addTask {
            defer { port.finish() }
            try await group.run()
        }
        if let port = await ports.first(where: { _ in true }) {
            do {
                try await body(port)
            } catch {
                await group.triggerGracefulShutdown()
                throw error
            }
            await group.triggerGracefulShutdown()
        }
        try await tasks.waitForAll()
    }
}

@Suite struct ListenerTests {
    @Test func theWholeFlowGoesOverARealSocket() async throws {
        let house = try await House()
        try await house.application().test(.live) { client in
            let browser = Browser(client: client)
            let session = try await browser.session()
            #expect(try await browser.send(.get, "/auth/acme/token", session: session).status == .ok)
        }
    }

    @Test func saysItsPortAndStopsWhenTold() async throws {
        let house = try await House()
        var options = house.options
        options.port = 0
        try await serving({ Facade(vault: house.vault, options: options, logger: house.log.logger, bound: $0) }) {
            port in
            #expect(port > 0)
            try await TestClient.withClient(host: "127.0.0.1", port: port) { client async throws in
                #expect(try await client.get("/auth/platforms").status == .ok)
            }
        }
    }

    @Test func optionsThatCannotBeServedEndItWithAReason() async throws {
        let house = try await House()
        var options = house.options
        options.host = "0.0.0.0"
        let open = Facade(vault: house.vault, options: options, logger: house.log.logger)
        let error = await #expect(throws: VaultError.self) { try await open.run() }
        #expect(error?.code == .settings)
    }

    @Test func aBodyWithoutEndIsCutOff() async throws {
        let house = try await House()
        try await house.application().test(.live) { client in
            let browser = Browser(client: client)
            let large = ByteBuffer(repeating: 0x20, count: 1 << 20)
            let answer = try await browser.send(
                .post, "/auth/acme/login", headers: [.contentType: "application/json"], body: large)
            try answer.expectProblem("too-large", 413)
            #expect(answer.headers[.connection] == "close")
        }
    }

    @Test(.enabled(if: Shell.can("curl --version"), "curl is not installed"), arguments: ["POST", "DELETE", "GET"])
    func aBodyThatDoesNotSayItsLengthIsCutOffToo(_ method: String) async throws {
        let house = try await House()
        var options = house.options
        options.port = 0
        try await serving({ Facade(vault: house.vault, options: options, logger: house.log.logger, bound: $0) }) {
            port in
            // Without an end: only the server can end this.
            let answer = try await Shell.run(
                "yes | curl -sS -m 60 -D - -X \(method) -H 'Transfer-Encoding: chunked' -H 'Content-Type: application/json' "
                    + "-T - http://127.0.0.1:\(port)/auth/acme\(method == "POST" ? "/login" : method == "GET" ? "/token" : "")",
                input: "")
            #expect(answer.output.contains("HTTP/1.1 413"), "\(answer.output)")
            #expect(answer.output.contains("\"too-large\""))
        }
    }

    @Test func theForwardedAddressCountsOnlyFromATrustedProxy() async throws {
        for (trusted, second) in [(["127.0.0.0/8"], 200), ([], 429)] {
            var house = try await House()
            house.options.loginsPerMinute = 1
            house.options.trustedProxies = trusted
            try await house.application().test(.live) { client in
                let browser = Browser(client: client)
                for (address, status) in [("203.0.113.1", 200), ("203.0.113.2", second), ("203.0.113.2", 429)] {
                    let answer = try await browser.send(
                        .post, "/auth/acme/login", headers: [.xForwardedFor: address])
                    #expect(answer.status.code == status, "\(address) by \(trusted)")
                }
                // RFC 7239 says the same.
                for (address, status) in [("203.0.113.2", 429), ("203.0.113.3", second)] {
                    let answer = try await browser.send(
                        .post, "/auth/acme/login", headers: [.forwarded: "for=\(address);proto=https"])
                    #expect(answer.status.code == status, "\(address) by \(trusted)")
                }
            }
        }
    }

    @Test func tooManyHeadersEndTheConnection() async throws {
        let house = try await House()
        try await house.application().test(.live) { client in
            let answer = try await Browser(client: client).send(
                .get, "/auth/platforms", headers: [.userAgent: String(repeating: "a", count: 40_000)])
            #expect(answer.status == .badRequest)
        }
    }
}

@Suite struct AdminListenerTests {
    private func listener(_ house: House) -> AdminListener {
        let readiness = Readiness()
        readiness.serve()
        return listener(house, readiness)
    }

    private func listener(_ house: House, _ readiness: Readiness) -> AdminListener {
        AdminListener(
            vault: house.vault, host: "127.0.0.1", port: 0, metrics: { "vault_up 1\n" }, readiness: readiness,
            logger: house.log.logger)
    }

    @Test func servesMetricsAsPrometheusText() async throws {
        try await listener(House()).application().test(.router) { client in
            let answer = try await Browser(client: client).send(.get, "/metrics")
            #expect(answer.status == .ok)
            #expect(answer.headers[.contentType] == "text/plain; version=0.0.4; charset=utf-8")
            #expect(answer.text == "vault_up 1\n")
        }
    }

    @Test func isAliveAndReadyAndNamesWhatIsNotUsable() async throws {
        try await listener(House()).application().test(.router) { client in
            let browser = Browser(client: client, isPublic: false)
            #expect(try await browser.send(.get, "/healthz").json["status"]?.string == "alive")
            let ready = try await browser.send(.get, "/readyz")
            #expect(ready.status == .ok)
            #expect(try ready.json["status"]?.string == "ready")
            #expect(try ready.json["reasons"]?[0]?["what"]?.string == "platforms.broken")
            #expect(try ready.json["reasons"]?[0]?["reason"]?.string == "plugin")
            try await browser.send(.get, "/auth/platforms").expectAdminProblem("not-found", 404)
            try await browser.send(.post, "/metrics").expectAdminProblem("method-not-allowed", 405)
        }
    }

    @Test func isNotReadyWhenTheStoreCannotBeRead() async throws {
        let house = try await House()
        await house.vault.records.store.close()
        try await listener(house).application().test(.router) { client in
            let browser = Browser(client: client)
            let ready = try await browser.send(.get, "/readyz")
            #expect(ready.status == .serviceUnavailable)
            #expect(try ready.json["status"]?.string == "not-ready")
            #expect(try ready.json["reasons"]?[0]?["what"]?.string == "store")
            #expect(try await browser.send(.get, "/healthz").status == .ok)
        }
    }

    @Test func isReadyFromTheMomentTheFacadeListensUntilItIsToldToStop() async throws {
        let house = try await House()
        let readiness = Readiness()
        var free = house.options
        free.port = 0
        let options = free
        try await listener(house, readiness).application().test(.router) { client in
            let browser = Browser(client: client)
            let answers = Mutex<[String]>([])
            @Sendable func ask() async throws {
                let answer = try await browser.send(.get, "/readyz")
                let reason = try answer.json["reasons"]?[0]
                let what = reason?["what"]?.string == "listener" ? reason?["reason"]?.string : nil
                answers.withLock { $0.append("\(answer.status.code) \(what ?? "-")") }
            }
            try await ask()
            try await testGracefulShutdown { trigger in
                let facade = Facade(
                    vault: house.vault, options: options, logger: house.log.logger, readiness: readiness
                ) { _ in
                    try? await ask()
                    // It is not at its end yet: it is told to stop.
                    trigger.triggerGracefulShutdown()
                    try? await ask()
                }
                try await facade.run()
            }
            try await ask()
            #expect(answers.withLock { $0 } == ["503 starting", "200 -", "503 draining", "503 draining"])
        }
    }

    @Test func anEndThatCameBeforeTheBeginningCounts() {
        let readiness = Readiness()
        readiness.drain()
        readiness.serve()
        #expect(readiness.stage == .draining)
    }

    @Test func showsWhatTheFacadeCounts() async throws {
        let metrics = PrometheusMetrics(showsProcess: false)
        let recorded = RequestMetrics(factory: metrics)
        recorded.active.increment()
        recorded.record("GET", "/auth/{platform}/token", 200, 3_000_000)
        recorded.record("GET", "/auth/{platform}/token", 401, 1_000_000)
        let text = metrics.render()
        let route = #"method="GET",route="/auth/{platform}/token""#
        #expect(text.contains("vault_http_active_requests 1\n"))
        #expect(text.contains("vault_http_requests_total{\(route),status=\"200\"} 1\n"))
        #expect(text.contains("vault_http_requests_total{\(route),status=\"401\"} 1\n"))
        #expect(text.contains("vault_http_request_duration_seconds_count{\(route)} 2\n"))
    }
}

extension Answer {
    fileprivate func expectAdminProblem(_ code: String, _ status: Int) throws {
        #expect(self.status.code == status)
        #expect(headers[.contentType] == "application/problem+json")
        #expect(try json["code"]?.string == code)
    }
}
