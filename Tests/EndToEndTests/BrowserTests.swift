import Testing

extension EndToEnd {
    @Test func theDemoPageWorksInARealBrowser() async {
        let status = await Scenario.run("browser_test.py")
        #expect(status == 0 || status == Scenario.skipped)
    }

    @Test func aPlatformGivesItsTokenToTheBrowser() async {
        let status = await Scenario.run("browser_token_test.py")
        #expect(status == 0 || status == Scenario.skipped)
    }
}
