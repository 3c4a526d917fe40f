import Testing

@testable import VaultStore

@Suite struct GatheringTests {
    @Test func nobodyWaitsWhoIsAlone() {
        var gathering = Gathering()
        #expect(gathering.wanted() == nil, "before the first commit")
        gathering.answered(1, waiting: 0)
        #expect(gathering.wanted() == nil)
    }

    @Test func whoWasAnsweredIsWaitedForAndWhoWaitedCounts() {
        var gathering = Gathering()
        gathering.answered(5, waiting: 3)
        #expect(gathering.wanted() == 8)
        gathering.answered(60, waiting: 100)
        #expect(gathering.wanted() == Gathering.enough)
    }

    @Test(arguments: [(8, true), (6, true), (5, false), (0, false)])
    func inVainItWaitsOnceInAWhile(_ came: Int, _ isGoodEnough: Bool) {
        var gathering = Gathering()
        gathering.answered(8, waiting: 0)
        #expect(gathering.wanted() == 8)
        gathering.gathered(came)
        let commits = (1...100).first { _ in
            gathering.answered(8, waiting: 0)
            return gathering.wanted() != nil
        }
        #expect(commits == (isGoodEnough ? 1 : 33))
    }
}
