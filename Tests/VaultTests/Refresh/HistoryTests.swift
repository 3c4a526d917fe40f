import Synchronization
import Testing
import VaultBase
import VaultProviders
import VaultRecords

@testable import Vault

/// Random histories: whatever comes together, a refresh token that was spent is never presented again, and
/// what is stored works at the provider.
@Suite struct HistoryTests {
    @Test(arguments: 0..<8)
    func noSpentTokenIsPresentedAgain(seed: UInt64) async throws {
        let world = try await World(options: { $0.refreshAhead = true })
        var dice = Dice(state: seed &* 0x9E37_79B9_7F4A_7C15 | 1)
        var users: [UserID] = []
        for number in 0..<3 { users.append(try await world.logIn("user\(number)").record.user) }

        for _ in 0..<12 {
            let steps: [FakeProvider.Step] = [
                .answer(503, ""), .answer(429, ""), .fail(ProviderFailure(failure: .retry, code: "connect-failed")),
            ]
            if dice.roll(3) == 0 { world.provider.script(.refresh, steps[dice.roll(3)]) }
            world.store.fail(with: dice.roll(4) == 0 ? FragileStore.full : nil, after: dice.roll(6))
            await withDiscardingTaskGroup { group in
                for _ in 0..<24 {
                    let (action, user, number) = (dice.roll(8), users[dice.roll(3)], dice.roll(3))
                    group.addTask {
                        switch action {
                        case 0...2: _ = try? await world.vault.token(for: user, at: World.first)
                        case 3, 4: _ = try? await world.vault.refresh(user, at: World.first)
                        case 5: _ = try? await world.logIn("user\(number)")
                        case 6: try? await world.vault.refreshAhead()
                        default: await world.vault.saveWhatWaits()
                        }
                    }
                }
            }
            world.clock.advance(.seconds(dice.roll(2) == 0 ? 700 : 3600))
        }

        world.store.fail(with: nil)
        world.provider.state.withLock { $0.script = [:] }
        await world.vault.saveWhatWaits()
        world.clock.advance(.seconds(3600))
        #expect(world.provider.calls(.refresh) > 10)
        #expect(world.provider.state.withLock { $0.reuses } == 0)
        #expect(!world.provider.isAnyGrantRevoked)
        #expect(world.vault.refresher.flights.count == 0)
        #expect(world.vault.refresher.unsaved.withLock { $0.isEmpty })
        #expect(try world.records.read { try $0.redemptions() } == [])
        for user in users { _ = try await world.vault.refresh(user, at: World.first) }
    }

    /// A generator that says the same for the same seed (xorshift64*).
    private struct Dice {
        var state: UInt64

        mutating func roll(_ sides: Int) -> Int {
            state ^= state >> 12
            state ^= state << 25
            state ^= state >> 27
            return Int((state &* 0x2545_F491_4F6C_DD1D) >> 33) % sides
        }
    }
}
