import Testing
import VaultBase
import VaultRecords

@testable import Vault

@Suite struct FlightTests {
    struct Crash: Error {}

    @Test func aFlightThatFailsLeavesNothingBehind() async throws {
        let flights = Flights<Int, Int>()
        for _ in 0..<100 {
            await #expect(throws: Crash.self) { try await flights.join(1) { throw Crash() } }
        }
        #expect(try await flights.join(1) { 7 } == 7)
        #expect(flights.count == 0)
    }

    @Test func manyFlightsLeaveNothingBehind() async throws {
        let flights = Flights<Int, Int>()
        try await withThrowingDiscardingTaskGroup { group in
            for key in 0..<10_000 { group.addTask { _ = try await flights.join(key) { key } } }
        }
        #expect(flights.count == 0)
    }

    @Test func whoComesLaterThanTheBoundIsNotWaitedFor() async {
        let gate = Gate()
        let late = await bounded(.milliseconds(10)) { () -> Int in
            await gate.pass()
            return 1
        }
        #expect(late == nil)
        gate.open()
        #expect(await bounded(.seconds(600)) { 1 } == 1)
    }

    @Test func waitsGrowWithFailuresAndStayWithinTheirLimits() throws {
        let backoff = Backoff()
        let name = ConnectionName(user: try UserID("alice"), platform: World.first)
        let now = HandClock.start
        for failures in 0..<40 {
            let wait = backoff.failed(name, now: now, retryAfter: nil)
            let cap = min(Backoff.ceiling, Backoff.base * (1 << min(failures, 16)))
            #expect(wait >= Backoff.floor && wait <= max(cap, Backoff.floor))
        }
        #expect(backoff.failed(name, now: now, retryAfter: .seconds(3600)) == .seconds(3600))
        // Nobody is believed for longer than a day.
        #expect(backoff.failed(name, now: now, retryAfter: .seconds(1 << 40)) == Backoff.patience)
        #expect(backoff.wait(name, now: now + .seconds(3600)) == .seconds(23 * 3600))
        // A clock set back ends a wait instead of stretching it.
        #expect(backoff.wait(name, now: now - .seconds(1)) == nil)
        backoff.prune(now: now + .seconds(25 * 3600))
        #expect(backoff.count == 0)
    }
}
