import Testing
import VaultBase
import VaultRecords
import VaultStore

/// Clocks that jump and clocks that stand: nothing is returned after its end, nothing alive is removed.
@Suite struct ClockTests {
    /// A step of the wall clock, there and back.
    struct Step: Sendable, CustomTestStringConvertible {
        let name: String
        let seconds: Int
        var testDescription: String { name }

        static let all = [
            Step(name: "an hour ahead", seconds: 3600), Step(name: "an hour back", seconds: -3600),
            Step(name: "ten years ahead", seconds: 315_576_000), Step(name: "ten years back", seconds: -315_576_000),
            Step(name: "frozen", seconds: 0),
        ]
    }

    private static let grace = Duration.seconds(86_400)

    @Test(arguments: Step.all) func nothingIsReturnedAfterItsEndAndNothingAliveIsRemoved(step: Step) async throws {
        let bench = try await Bench()
        let start = bench.now
        // Ends before the step, while it lasts, and long after.
        try await bench.put(bench.connection("past", endsAt: start + .seconds(10)))
        try await bench.put(bench.connection("soon", endsAt: start + .seconds(7200)))
        try await bench.put(bench.connection("late", endsAt: start + .seconds(4_000_000_000)))
        try await bench.put(bench.connection("ever"))
        bench.clock.advance(.seconds(20))
        try await bench.put(bench.connection("witness"))
        #expect(try bench.get("past") == nil)

        bench.clock.set(start + .seconds(20 + step.seconds))
        let swept = try await bench.records.sweep(grace: Self.grace, limit: 99, dryRun: false)
        let removed = Set(swept.connections.map(\.user.rawValue))
        // Without a step ahead nothing has ended for as long as the grace.
        #expect(removed == (step.seconds > 86_400 ? ["past", "soon"] : []))
        // Whatever the clock said: what had ended stays ended, what never ends is there.
        #expect(try bench.get("past") == nil)
        #expect(try bench.get("ever") != nil && bench.get("late") != nil && bench.get("witness") != nil)
        #expect(try (bench.get("soon") != nil) == (step.seconds < 7180))

        // Back to where it was: what was only out of sight is there again, unless a write said it was later.
        bench.clock.set(start + .seconds(21))
        #expect(try bench.get("past") == nil)
        #expect(try bench.reopened().read { try $0.connection(UserID("past"), PlatformName("spotify")) } == nil)
        if step.seconds <= 3600 { #expect(try bench.get("soon") != nil) }
        #expect(try bench.get("ever") != nil && bench.get("late") != nil)
        #expect(try bench.records.verify().isSound)
    }

    @Test func theGraceIsCountedFromTheEndWhateverTheClockDidBetween() async throws {
        let bench = try await Bench()
        let start = bench.now
        try await bench.put(bench.connection("ada", endsAt: start + .seconds(60)))
        for seconds in [3600, -3600, -315_576_000, 0, 3600, 86_400] {
            bench.clock.set(start + .seconds(seconds))
            #expect(try await bench.records.sweep(grace: Self.grace, limit: 9, dryRun: false).connections.isEmpty)
            #expect(try bench.count(.records) == 1)
        }
        bench.clock.set(start + .seconds(86_460))
        #expect(try await bench.records.sweep(grace: Self.grace, limit: 9, dryRun: false).connections.count == 1)
    }

    @Test func aFrozenClockStopsNoWriteAndEndsNothing() async throws {
        let bench = try await Bench()
        var last: UInt64 = 0
        for number in 0..<50 {
            let version = try await bench.put(
                bench.connection("ada", token: "token-\(number)", endsAt: bench.now + .milliseconds(1)))
            // Versions come from the sequence, not from a clock.
            #expect(version > last)
            last = version
        }
        #expect(try bench.get("ada")?.accessToken == Secret("token-49"))
        #expect(try await bench.records.sweep(grace: .zero, limit: 9, dryRun: false).connections.isEmpty)
        bench.clock.advance(.milliseconds(1))
        #expect(try bench.get("ada") == nil)
    }

    @Test func aSessionAndALoginFollowTheSameClock() async throws {
        let bench = try await Bench()
        let start = bench.now
        let (session, login) = (try bench.session(lasts: .seconds(3600)), try bench.login(lasts: .seconds(3600)))
        try await bench.records.write {
            try $0.put(session)
            try $0.put(login)
        }
        func there() throws -> [Bool] {
            try bench.records.read { [try $0.session("s1") != nil, try $0.login("state-1") != nil] }
        }
        for (seconds, isThere) in [
            (-3600, true), (-315_576_000, true), (3599, true), (3600, false), (315_576_000, false),
        ] {
            bench.clock.set(start + .seconds(seconds))
            #expect(try there() == [isThere, isThere], "\(seconds)")
        }
        // Something was written at the end of the year: from there on no step back helps.
        try await bench.put(bench.connection("witness"))
        bench.clock.set(start)
        #expect(try there() == [false, false])
    }
}
