import Testing

// The short forms; `make torture` runs them longer.
extension EndToEnd {
    @Test func aGrantInTroubleIsSpentOnce() async {
        #expect(await Scenario.run("torture_refresh.py") == 0)
    }

    @Test func aServerKilledDuringARefreshKeepsTheTokensOrTheDoubt() async {
        let status = await Scenario.run("torture_kills.py", ["6"])
        #expect(status == 0 || status == Scenario.skipped)
    }

    @Test func manyReloadsLoseNoRequestAndLeaveNothingBehind() async {
        #expect(await Scenario.run("torture_reload.py", ["100"]) == 0)
    }

    @Test func ofManyUsersEveryGrantIsFreshOrHonestlyNot() async {
        #expect(await Scenario.run("torture_crowd.py", ["200", "4"]) == 0)
    }
}
