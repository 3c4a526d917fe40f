import Testing

extension EndToEnd {
    @Test func theDemoPageWorksInARealBrowser() {
        let status = Scenario.run("browser_test.py")
        #expect(status == 0 || status == Scenario.skipped)
    }
}
