import Testing
import VaultBase
import VaultProviders
import VaultRecords

@testable import Vault

/// Which event may go next.
@Suite struct DeliveryQueueTests {
    private let now = HandClock.start

    private func name(_ user: String) throws -> ConnectionName {
        ConnectionName(user: try UserID(user), platform: World.first)
    }

    /// One event for each of these users, numbered from 1.
    private func queue(_ users: [String]) throws -> DeliveryQueue {
        var queue = DeliveryQueue()
        for (index, user) in users.enumerated() {
            queue.add(UInt64(index + 1), of: try name(user), nextAt: now)
        }
        return queue
    }

    /// All that may go at once.
    private func taken(_ queue: inout DeliveryQueue, at time: Timestamp) -> [UInt64] {
        var taken: [UInt64] = []
        while let number = queue.take(time) { taken.append(number) }
        return taken
    }

    @Test func thoseOfOneConnectionGoOneAfterAnother() throws {
        var queue = try queue(["ada", "ada", "bob", "ada"])
        #expect(taken(&queue, at: now) == [1, 3])
        queue.remove(1)
        #expect(taken(&queue, at: now) == [2])
        // One that has to go again still goes before the next.
        queue.putBack(2)
        queue.postpone(2, to: now + .seconds(5))
        #expect(taken(&queue, at: now) == [])
        #expect(queue.nextAt == now)
        queue.remove(3)
        #expect(queue.nextAt == now + .seconds(5))
        #expect(taken(&queue, at: now + .seconds(5)) == [2])
    }

    @Test func theOrderIsThatOfEventsHoweverTheyCame() throws {
        var queue = DeliveryQueue()
        for number: UInt64 in [5, 2, 9] { queue.add(number, of: try name("ada"), nextAt: now) }
        var order: [UInt64] = []
        while let number = queue.take(now) {
            order.append(number)
            queue.remove(number)
        }
        #expect(order == [2, 5, 9])
    }

    @Test func noTimeOfAClockThatWasWrongIsWaitedFor() throws {
        let wrong = now + .seconds(315_576_000)
        var queue = DeliveryQueue()
        queue.add(1, of: try name("ada"), nextAt: wrong)
        queue.add(2, of: try name("bob"), nextAt: now + DeliveryOutcome.retryAfterLimit)
        queue.note(.down("http-503", retryAfter: nil), wrong)
        #expect(taken(&queue, at: now) == [1])
    }

    @Test func noMoreThanItsWidthIsUnderWay() throws {
        var queue = try queue((0..<20).map { "user-\($0)" })
        #expect(taken(&queue, at: now).count == DeliveryQueue.width)
        queue.remove(1)
        #expect(taken(&queue, at: now).count == 1)
        #expect(queue.room == DeliveryQueue.window - 19)
    }

    @Test func aReceiverThatIsDownIsAskedWithOneAtATimeUntilItAnswers() throws {
        var queue = try queue((0..<20).map { "user-\($0)" })
        for number in taken(&queue, at: now) { queue.putBack(number) }
        queue.note(.down("http-503", retryAfter: .seconds(30)), now)
        #expect(taken(&queue, at: now + .seconds(29)) == [])
        #expect(queue.nextAt == now + .seconds(30))
        #expect(taken(&queue, at: now + .seconds(30)) == [1])
        queue.remove(1)
        queue.note(.delivered, now)
        #expect(taken(&queue, at: now).count == DeliveryQueue.width)
    }

    @Test func pausesGrowToTheirCeilingAndEndWithAnAnswer() throws {
        var queue = try queue(["ada"])
        var pauses: [Duration] = []
        for _ in 0..<9 {
            queue.note(.down("timeout", retryAfter: nil), now)
            pauses.append(try #require(queue.nextAt) - now)
        }
        #expect(pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60].map { .seconds($0) })
        // It is there: that it refuses this one says nothing of the others.
        queue.note(.refused("http-400", retryAfter: nil), now)
        #expect(queue.nextAt == now)
    }

    @Test func whatIsToBeLookedAtAgainIsForgottenUnlessItIsUnderWay() throws {
        var queue = try queue(["ada", "bob", "cy"])
        #expect(queue.take(now) == 1)
        #expect(queue.take(now) == 2)
        queue.putBack(2)
        queue.forget(from: 1)
        #expect(queue.numbers == [1])
    }
}
