import Testing

extension EndToEnd {
    @Test func alertsFireInARealPrometheus() async {
        let status = await Scenario.run("alerts_test.py")
        #expect(status == 0 || status == Scenario.skipped)
    }
}
