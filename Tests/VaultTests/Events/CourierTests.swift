import Testing
import VaultBase
import VaultProviders
import VaultRecords

@testable import Vault

/// Telling receivers: once it works, in order, signed; again and later when it does not; dead in the end.
@Suite struct CourierTests {
    /// A world whose vault tells one receiver.
    private func start(
        _ webhooks: [Webhook] = [Receiver.webhook()], change: (inout VaultOptions) -> Void = { _ in }
    ) async throws -> (World, Vault, Receiver) {
        let world = try await World(options: {
            $0.webhooks = webhooks
            change(&$0)
        })
        let receiver = Receiver()
        return (world, try world.restarted(webhooks: receiver), receiver)
    }

    @Test func theSignatureIsThatOfStandardWebhooks() throws {
        // The example of the Standard Webhooks specification's reference libraries.
        let webhook = Receiver.webhook()
        let signature = webhook.signature(
            Array("{\"test\": 2432232314}".utf8), id: "msg_p5jXN8AQM9LWM0D4loKWxJek",
            at: Timestamp(seconds: 1_614_265_330))
        #expect(signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
    }

    @Test func tellsWhatHappenedOnceAndInOrder() async throws {
        let (world, vault, receiver) = try await start()
        let user = try await world.logIn("alice").record.user
        _ = try await vault.disconnect(user, from: World.first)
        try await world.logIn("bob")
        for _ in 0..<3 { try await world.tellAll(vault) }
        #expect(
            receiver.told.filter { $0.user == user.rawValue }.map(\.type)
                == ["connection.connected", "connection.revoked"])
        #expect(receiver.told.count == 3)
        #expect(Set(receiver.told.map(\.id)).count == 3)
        #expect(try world.events().allSatisfy { !$0.isPending })
        #expect(try world.records.read { try $0.pendingEventCount(limit: 10) } == 0)
        // Events of different connections are told at the same time: bob's may come first.
        let first = try #require(receiver.told.first { $0.user == user.rawValue })
        #expect(first.id.hasPrefix("evt_") && first.timestamp == "1800000000" && first.signature.hasPrefix("v1,"))
        #expect(
            first.body == """
                {"type":"connection.connected","timestamp":"\(HandClock.start.iso8601)",\
                "data":{"user":"\(user)","platform":"first"}}
                """)
        #expect(world.logs.lines.count { $0.contains("connection.connected") } == 2)
    }

    @Test func tellsEachReceiverWhatItWants() async throws {
        let (world, vault, receiver) = try await start([
            Receiver.webhook("all"), Receiver.webhook("some", ["connection.revoked"]),
        ])
        let user = try await world.logIn("alice").record.user
        _ = try await vault.disconnect(user, from: World.first)
        try await world.tellAll(vault)
        #expect(receiver.told.filter { $0.webhook == "some" }.map(\.type) == ["connection.revoked"])
        #expect(receiver.told.filter { $0.webhook == "all" }.count == 2)
    }

    @Test(arguments: [0, 301, 400, 404, 429, 500, 503]) func triesAgainLaterWithTheSameIdAndBody(
        status: Int
    ) async throws {
        let (world, vault, receiver) = try await start()
        try await world.logIn("alice")
        if status == 0 { receiver.fail("connect-failed") } else { receiver.answer(status) }
        try await world.tellAll(vault)
        try await world.tellAll(vault)
        #expect(receiver.told.count == 1)
        world.clock.advance(.seconds(6))
        try await world.tellAll(vault)
        #expect(receiver.told.count == 2)
        #expect(receiver.told[0].id == receiver.told[1].id && receiver.told[0].body == receiver.told[1].body)
        #expect(receiver.told[0].signature != receiver.told[1].signature)
        #expect(try world.events()[0].deliveries?.first?.attempts == 2)
        try await world.tellAll(vault)
        #expect(receiver.told.count == 2)
    }

    @Test func waitsAsLongAsTheReceiverAsks() async throws {
        let (world, vault, receiver) = try await start()
        try await world.logIn("alice")
        receiver.answer(503, [("Retry-After", "1000")])
        try await world.tellAll(vault)
        world.clock.advance(.seconds(999))
        try await world.tellAll(vault)
        #expect(receiver.told.count == 1)
        world.clock.advance(.seconds(1))
        try await world.tellAll(vault)
        #expect(receiver.told.count == 2)
    }

    @Test func keepsTheOrderOfAConnectionAndLetsOthersPass() async throws {
        let (world, vault, receiver) = try await start()
        let alice = try await world.logIn("alice").record.user
        receiver.answer(422)
        try await world.tellAll(vault)
        _ = try await vault.disconnect(alice, from: World.first)
        let bob = try await world.logIn("bob").record.user
        try await world.tellAll(vault)
        #expect(receiver.told.map(\.user) == [alice.rawValue, bob.rawValue])
        world.clock.advance(.seconds(6))
        try await world.tellAll(vault)
        #expect(
            receiver.told.filter { $0.user == alice.rawValue }.map(\.type)
                == ["connection.connected", "connection.connected", "connection.revoked"])
    }

    @Test func aReceiverThatIsDownIsNotStormed() async throws {
        let (world, vault, receiver) = try await start()
        receiver.always(503)
        for number in 0..<40 { try await world.logIn("user-\(number)") }
        try await world.tellAll(vault)
        // Those that were under way together when it went down, and no more.
        #expect(receiver.told.count <= DeliveryQueue.width)
        let before = receiver.told.count
        for _ in 0..<10 { try await world.tellAll(vault) }
        #expect(receiver.told.count == before)
        receiver.always(200)
        for _ in 0..<20 {
            world.clock.advance(.seconds(60))
            try await world.tellAll(vault)
        }
        #expect(try world.events().allSatisfy { !$0.isPending && !$0.isDead })
    }

    @Test func isDeadAfterSoManyAttemptsAndCanBeToldAgain() async throws {
        let (world, vault, receiver) = try await start(change: { $0.eventPatience = .seconds(30 * 86_400) })
        try await world.logIn("alice")
        receiver.always(500)
        for _ in 0..<DeliveryOutcome.attempts + 5 {
            world.clock.advance(DeliveryOutcome.ceiling)
            try await world.tellAll(vault)
        }
        #expect(receiver.told.count == DeliveryOutcome.attempts)
        let event = try #require(try world.events().first)
        #expect(event.isDead && !event.isPending)
        receiver.always(200)
        _ = try await vault.replay(event.id)
        try await world.tellAll(vault)
        #expect(receiver.told.count == DeliveryOutcome.attempts + 1)
        #expect(try world.events().first?.isDead == false)
        // Nobody failed: everybody is told again.
        _ = try await vault.replay(event.id)
        try await world.tellAll(vault)
        #expect(receiver.told.count == DeliveryOutcome.attempts + 2)
        #expect(await code { try await vault.replay("evt_none") } == .notFound)
    }

    @Test func isDeadWhenItGetsTooOld() async throws {
        let (world, vault, receiver) = try await start()
        try await world.logIn("alice")
        receiver.answer(500)
        try await world.tellAll(vault)
        world.clock.advance(.seconds(3 * 86_400))
        try await world.tellAll(vault)
        #expect(receiver.told.count == 1)
        #expect(try world.events().first?.deliveries?.first?.code == "expired")
    }

    @Test func goneIsDeadAtOnce() async throws {
        let (world, vault, receiver) = try await start()
        try await world.logIn("alice")
        receiver.answer(410)
        try await world.tellAll(vault)
        #expect(try world.events().first?.isDead == true)
    }

    @Test func aRestartForgetsNothing() async throws {
        let (world, vault, receiver) = try await start()
        try await world.logIn("alice")
        receiver.answer(500)
        try await world.tellAll(vault)
        try await world.logIn("bob")
        // Another process: what it knows it has from the store.
        let next = try world.restarted(webhooks: receiver)
        try await world.tellAll(next)
        #expect(receiver.told.map(\.user).last != receiver.told.map(\.user).first)
        #expect(receiver.told.count == 2)
        world.clock.advance(.seconds(6))
        try await world.tellAll(next)
        #expect(receiver.told.count == 3)
        #expect(try world.events().allSatisfy { !$0.isPending })
        #expect(try world.events().first?.deliveries?.first?.attempts == 2)
    }

    @Test func anEventThatMadeRoomIsNotMissed() async throws {
        let (world, vault, receiver) = try await start(change: { $0.eventLimit = 2 })
        receiver.always(500)
        try await world.logIn("a")
        try await world.tellAll(vault)
        try await world.logIn("b")
        try await world.logIn("c")
        receiver.always(200)
        for _ in 0..<5 {
            world.clock.advance(.seconds(60))
            try await world.tellAll(vault)
        }
        #expect(receiver.told.count == 3)
        #expect(try world.events().count == 2)
    }

    @Test(arguments: [
        ("http://example.com/x", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", []),
        ("https://u@example.com/x", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", []),
        ("https://example.com/x", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", []),
        ("https://example.com/x", "whsec_c2hvcnQ=", []),
        ("https://example.com/x", "whsec_***", []),
        ("https://example.com/x", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", ["connection.conected"]),
        ("", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", []),
    ]) func whatIsNoWebhookIsRefused(url: String, secret: String, kinds: [String]) async {
        let refused = await code {
            try Webhook(name: "w", url: url, secret: Secret(secret), kinds: kinds, allowsPrivateNetwork: false)
        }
        #expect(refused == .settings)
    }
}
