import Testing

extension EndToEnd {
    @Test func worksWithAnAuthorizationServerNobodyHereWrote() {
        let status = Scenario.run("glewlwyd_test.py")
        #expect(status == 0 || status == Scenario.skipped)
    }
}
