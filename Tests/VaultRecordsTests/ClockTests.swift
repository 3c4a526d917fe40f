import Testing
import VaultBase
import VaultStore

@testable import VaultRecords

/// Clocks that jump and clocks that stand: nothing is returned after its end, and nothing is removed that only one of the
/// vault's clock and the wall clock calls ended.
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

    @Test(arguments: Step.all) func nothingIsReturnedAfterItsEndAndNothingIsRemovedBeforeIt(step: Step) async throws {
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
        // Whatever the clock said: what had ended stays ended, what never ends is there.
        #expect(try bench.get("past") == nil)
        #expect(try bench.get("ever") != nil && bench.get("late") != nil && bench.get("witness") != nil)
        #expect(try (bench.get("soon") != nil) == (step.seconds < 7180))
        // While both clocks say that it is over for longer than the grace, it goes; the service asks for no sweep then.
        let swept = try await bench.records.sweep(grace: Self.grace, limit: 99, dryRun: true)
        #expect(swept.connections.map(\.user.rawValue) == (step.seconds > 86_400 ? ["past", "soon"] : []))

        // Back to where it was: what was only out of sight is there again, unless a write said it was later.
        bench.clock.set(start + .seconds(21))
        #expect(try bench.get("past") == nil)
        #expect(try bench.reopened().read { try $0.connection(UserID("past"), PlatformName("spotify")) } == nil)
        #expect(try bench.get("soon") != nil && bench.get("ever") != nil && bench.get("late") != nil)
        #expect(try await bench.records.sweep(grace: Self.grace, limit: 99, dryRun: false) == .nothing)
        #expect(try bench.count(.records) == 5)
        #expect(try bench.records.verify().isSound)
    }

    @Test func whatAWriteOfTheFutureHidIsNotSweptOnceTheTimeIsRight() async throws {
        let bench = try await Bench()
        let start = bench.now
        try await bench.put(bench.connection("soon", endsAt: start + .seconds(7200)))
        let session = try bench.session(lasts: .seconds(7200))
        try await bench.records.write { try $0.put(session) }
        bench.clock.set(start + .seconds(315_576_000))
        try await bench.put(bench.connection("witness"))
        bench.clock.set(start + .seconds(20))
        #expect(try bench.get("soon") == nil)
        for records in [bench.records, try bench.reopened()] {
            // A session is worth nothing to anybody; the grant is all there is.
            let swept = try await records.sweep(grace: .zero, limit: 9, dryRun: true)
            #expect(swept == SweepResult(connections: [], sessions: 1, logins: 0))
        }
        _ = try await bench.records.sweep(grace: .zero, limit: 9, dryRun: false)
        #expect(try bench.count(.records) == 2)
        #expect(try await bench.records.acceptClock() == .seconds(315_575_980))
        #expect(try bench.get("soon") != nil)
        bench.clock.advance(.seconds(7180))
        let swept = try await bench.records.sweep(grace: .zero, limit: 9, dryRun: false)
        #expect(swept.connections.map(\.user.rawValue) == ["soon"])
    }

    @Test func behindTheLastWriteTheVaultsClockRunsOn() async throws {
        let bench = try await Bench()
        let start = bench.now
        bench.clock.advance(.seconds(100))
        try await bench.put(bench.connection("witness"))
        bench.clock.set(start - .seconds(3500))
        #expect(bench.records.now == start + .seconds(100) && bench.records.clockLead == .seconds(3600))
        bench.clock.advance(.seconds(50))
        #expect(bench.records.now == start + .seconds(150) && bench.records.clockLead == .seconds(3600))
        // What is written now ends in its time, and outside it ends by the wall clock.
        let end = bench.records.now + .seconds(60)
        #expect(bench.records.outside(end) == bench.now + .seconds(60))
        try await bench.put(bench.connection("ada", endsAt: end))
        bench.clock.advance(.milliseconds(59_999))
        #expect(try bench.get() != nil)
        bench.clock.advance(.milliseconds(1))
        #expect(try bench.get() == nil)
        // Another process begins at the last write.
        #expect(try bench.reopened().now == start + .seconds(150))
        // Caught up, it is the wall clock again.
        bench.clock.set(start + .seconds(400))
        #expect(bench.records.now == bench.now && bench.records.clockLead == .zero)
        #expect(bench.records.outside(end) == end)
        bench.clock.set(start + .seconds(390))
        #expect(bench.records.now == bench.now)
    }

    @Test func whatWasReadBeforeTheClockWasSetDoesNotSetItBack() async throws {
        let bench = try await Bench()
        let start = bench.now
        bench.clock.set(start + .seconds(86_400))
        try await bench.put(bench.connection("witness"))
        // A write that is under way while the clock is accepted, and is answered after it.
        let clock = bench.records.vaultClock
        let reading = clock.read(notBefore: start)
        bench.clock.set(start)
        #expect(try await bench.records.acceptClock() == .seconds(86_400))
        clock.note(reading)
        #expect(bench.records.now == start)
        try await bench.put(bench.connection("bob"))
        #expect(try bench.reopened().now == start)
        clock.note(clock.read(notBefore: start + .seconds(60)))
        #expect(bench.records.now == start + .seconds(60))
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

extension SweepResult {
    fileprivate static let nothing = SweepResult(connections: [], sessions: 0, logins: 0)
}
