import Testing

extension EndToEnd {
    @Test func everyCommandOfTheReadmeWorks() {
        #expect(Scenario.run("readme_test.py") == 0)
    }
}
