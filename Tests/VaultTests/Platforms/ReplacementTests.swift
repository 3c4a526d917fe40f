import Testing
import VaultBase
import VaultProviders

@testable import Vault

/// Platforms are replaced while the vault serves.
@Suite struct ReplacementTests {
    /// The world's entries with another client id for those that are named.
    func entries(_ world: World, changed: Set<PlatformName> = []) -> [PlatformDirectory.Entry] {
        world.directory.entries.map { entry in
            var entry = entry
            if changed.contains(entry.name) { entry.platform?.clientID = "another" }
            return entry
        }
    }

    @Test func whatDidNotChangeKeepsWhatIsKnownOfIt() async throws {
        let world = try await World()
        _ = try await world.begin("alice", at: World.found)
        #expect(world.directory.replace(entries(world, changed: [World.first])).changed == [World.first])
        _ = try await world.begin("alice", at: World.found)
        #expect(world.provider.calls(.metadata) == 1)
        #expect(world.directory.replace(entries(world, changed: [World.found])).changed == [World.found])
        let login = try await world.begin("alice", at: World.found)
        #expect(world.provider.calls(.metadata) == 2)
        #expect(login.start.authorizationURL.contains("client_id=another"))
    }

    @Test func aFailureOfTheOldPlatformIsNotTheNewOnes() async throws {
        let world = try await World()
        world.provider.script(.metadata, .answer(503, ""))
        #expect(await code { try await world.begin("alice", at: World.found) } == .platformUnavailable)
        world.directory.replace(entries(world, changed: [World.found]))
        _ = try await world.begin("alice", at: World.found)
    }

    @Test func aPlatformThatIsGoneIsGoneAtOnceAndComesBack() async throws {
        let world = try await World()
        _ = try await world.begin("alice", at: World.found)
        let all = entries(world)
        #expect(world.directory.replace(all.filter { $0.name != World.found }).removed == [World.found])
        #expect(await code { try await world.begin("alice", at: World.found) } == .noPlatform)
        #expect(world.directory.replace(all).added == [World.found])
        _ = try await world.begin("alice", at: World.found)
    }

    @Test func theSameAgainChangesNothing() async throws {
        let world = try await World()
        #expect(world.directory.replace(entries(world)) == PlatformDirectory.Changes())
    }

    @Test func aLoginThatHasBegunEndsAcrossAReplacement() async throws {
        let world = try await World()
        let login = try await world.begin("alice")
        world.directory.replace(entries(world, changed: [World.second]))
        #expect(try await world.complete(login).failure == nil)
    }

    @Test func noRequestIsDroppedByAThousandReplacements() async throws {
        let world = try await World()
        let (one, other) = (entries(world), entries(world, changed: [World.second]))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                for turn in 0..<1000 {
                    world.directory.replace(turn % 2 == 0 ? other : one)
                    if turn % 20 == 0 { await Task.yield() }
                }
            }
            for number in 0..<100 {
                group.addTask {
                    let platform = number % 2 == 0 ? World.first : World.second
                    let failure = try await world.complete(try await world.begin("user\(number)", at: platform)).failure
                    // A code that was asked for with another client id is not redeemed.
                    #expect(failure == nil || (platform == World.second && failure == "restart-login"))
                }
            }
            try await group.waitForAll()
        }
    }
}
