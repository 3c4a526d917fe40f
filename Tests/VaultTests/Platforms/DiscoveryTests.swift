import Testing
import VaultBase
import VaultProviders

@testable import Vault

@Suite struct DiscoveryTests {
    @Test func metadataIsFetchedOnceForAllAndAgainAfterAnHour() async throws {
        let world = try await World()
        let gate = Gate()
        world.provider.script(.metadata, .wait(gate))
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<20 {
                group.addTask { _ = try await world.begin("user\(number)", at: World.found) }
            }
            await gate.waitForArrivals()
            gate.open()
            try await group.waitForAll()
        }
        #expect(world.provider.calls(.metadata) == 1)
        world.clock.advance(.seconds(3599))
        _ = try await world.begin("alice", at: World.found)
        #expect(world.provider.calls(.metadata) == 1)
        world.clock.advance(.seconds(1))
        _ = try await world.begin("alice", at: World.found)
        #expect(world.provider.calls(.metadata) == 2)
    }

    @Test func whatWasKnownIsUsedWhileMetadataCannotBeHad() async throws {
        let world = try await World()
        _ = try await world.begin("alice", at: World.found)
        world.clock.advance(.seconds(3600))
        world.provider.script(.metadata, .answer(503, ""))
        let login = try await world.begin("alice", at: World.found)
        #expect(try await world.complete(login).failure == nil)
        #expect(world.provider.calls(.metadata) == 2)
        world.clock.advance(.seconds(5))
        _ = try await world.begin("alice", at: World.found)
        #expect(world.provider.calls(.metadata) == 3)
    }

    @Test(arguments: [
        FakeProvider.Step.answer(503, ""), .answer(200, "<html>"), .answer(404, "{}"),
        .fail(ProviderFailure(failure: .retry, code: "dns-failed")),
        .answer(200, "{\"issuer\":\"https://evil.example\"}"),
    ])
    func withoutMetadataThePlatformIsUnavailableForNow(step: FakeProvider.Step) async throws {
        let world = try await World()
        world.provider.script(.metadata, step)
        for _ in 0..<10 {
            #expect(await code { try await world.begin("alice", at: World.found) } == .platformUnavailable)
        }
        #expect(world.provider.calls(.metadata) == 1)
        // The others go on.
        _ = try await world.begin("alice")
        world.clock.advance(.seconds(5))
        _ = try await world.begin("alice", at: World.found)
    }

    @Test func aPlatformThatIsNotUsableSaysWhyAndWhatToDo() throws {
        let name = try PlatformName("broken")
        let directory = PlatformDirectory([
            .init(
                name: name, displayName: "Broken", platform: nil,
                fault: VaultError(.plugin, "broken.so has another ABI", hint: "build it again"))
        ])
        do {
            _ = try directory.platform(name)
            Issue.record("it is usable")
        } catch {
            #expect(error.code == .platformUnavailable)
            #expect(error.description == "broken is not available: broken.so has another ABI (build it again)")
        }
    }
}
