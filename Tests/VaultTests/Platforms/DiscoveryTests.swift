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

    /// Many servers have the metadata of RFC 8414 alone. Only a 404 leads there, and the issuer must be ours there, too.
    @Test(arguments: [
        (404, nil, 2, true), (404, "{\"issuer\":\"https://evil.example\"}", 2, false), (500, nil, 1, false),
        (403, nil, 1, false), (200, nil, 1, false),
    ])
    func whereOpenIDHasNoMetadataThatOfOAuthIsAsked(
        first: Int, second: String?, calls: Int, isFound: Bool
    ) async throws {
        let world = try await World { _ in
        } description: {
            if $0.discovery == .rfc8414 { $0.discovery = .oidc }
        }
        world.provider.script(.metadata, .answer(first, "{}"))
        if let second { world.provider.script(.metadata, .answer(200, second)) }
        let failure = await code { try await world.begin("alice", at: World.found) }
        #expect(failure == (isFound ? nil : .platformUnavailable))
        #expect(world.provider.calls(.metadata) == calls)
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
