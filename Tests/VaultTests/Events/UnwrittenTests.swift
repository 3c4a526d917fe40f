import Testing
import VaultBase
import VaultProviders
import VaultRecords

@testable import Vault

/// Telling while the store fails, and telling nobody.
@Suite struct UnwrittenTests {
    private func start(_ webhooks: [Webhook] = [Receiver.webhook()]) async throws -> (World, Vault, Receiver) {
        let world = try await World(options: { $0.webhooks = webhooks })
        let receiver = Receiver()
        return (world, try world.restarted(webhooks: receiver), receiver)
    }

    @Test func aStoreThatFailsRepeatsNoLine() async throws {
        let (world, vault, receiver) = try await start()
        try await world.logIn("alice")
        world.store.fail(with: FragileStore.full)
        for _ in 0..<3 { #expect(await code { try await vault.outbox.handOut() } == .full) }
        #expect(world.logs.lines.count { $0.contains("connection.connected") } == 0)
        world.store.fail(with: nil)
        try await world.tellAll(vault)
        #expect(world.logs.lines.count { $0.contains("connection.connected") } == 1)
        #expect(receiver.told.count == 1)
    }

    @Test(arguments: [204, 410, 500]) func whatTheStoreDoesNotTakeIsWrittenLaterAndNotSentAgain(
        status: Int
    ) async throws {
        let (world, vault, receiver) = try await start()
        try await world.logIn("alice")
        _ = try await vault.outbox.handOut()
        receiver.answer(status)
        world.store.fail(with: FragileStore.full)
        let courier = try #require(vault.outbox.couriers.first)
        // However often it is rung.
        for _ in 0..<3 {
            _ = try await courier.round()
            world.clock.advance(.seconds(10))
        }
        #expect(receiver.told.count == 1)
        #expect(try world.events()[0].deliveries?.first?.state == .pending)
        world.store.fail(with: nil)
        _ = try await courier.round()
        #expect(receiver.told.count == 1)
        let mine = try #require(try world.events()[0].deliveries?.first)
        #expect(mine.state == (status == 204 ? .delivered : status == 410 ? .dead : .pending))
        #expect(mine.attempts == (status == 410 ? 0 : 1))
        // One that failed goes again when its time has come.
        world.clock.advance(.seconds(60))
        _ = try await courier.round()
        #expect(receiver.told.count == (status == 500 ? 2 : 1))
    }

    @Test func othersAreToldWhileOneIsNotWritten() async throws {
        let (world, vault, receiver) = try await start()
        try await world.logIn("alice")
        try await world.logIn("bob")
        _ = try await vault.outbox.handOut()
        world.store.fail(with: FragileStore.full)
        let courier = try #require(vault.outbox.couriers.first)
        _ = try await courier.round()
        #expect(Set(receiver.told.map(\.user)).count == 2)
        world.store.fail(with: nil)
        world.clock.advance(.seconds(5))
        _ = try await courier.round()
        #expect(receiver.told.count == 2)
        #expect(try world.events().allSatisfy { !$0.isPending })
    }

    @Test func whatWaitsForARemovedReceiverIsGivenUp() async throws {
        let (world, vault, receiver) = try await start([Receiver.webhook("stays"), Receiver.webhook("goes")])
        try await world.logIn("alice")
        receiver.always(500)
        try await world.tellAll(vault)
        let later = try world.restarted(webhooks: receiver, options: { $0.webhooks = [Receiver.webhook("stays")] })
        try await later.giveUpRemovedReceivers()
        let event = try world.events()[0]
        #expect(event.deliveries?.map(\.receiver) == ["stays", "goes"])
        #expect(event.deliveries?.map(\.state) == [.pending, .dead])
        #expect(event.deliveries?.last?.code == "removed")
        #expect(event.isPending)
        receiver.always(204)
        world.clock.advance(.seconds(60))
        try await world.tellAll(later)
        #expect(try !world.events()[0].isPending)
        #expect(receiver.told.last?.webhook == "stays")
        #expect(world.logs.lines.count { $0.contains("webhook.removed") } == 1)
        // And nothing is left of it to stand in the way of others.
        #expect(try world.records.read { try $0.pendingEventCount(limit: 10) } == 0)
        try await later.giveUpRemovedReceivers()
        #expect(world.logs.lines.count { $0.contains("webhook.removed") } == 1)
    }
}
