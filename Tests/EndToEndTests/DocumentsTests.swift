import Testing

extension EndToEnd {
    @Test func everyCommandOfTheReadmeWorks() async {
        #expect(await Scenario.run("readme_test.py") == 0)
    }
}
