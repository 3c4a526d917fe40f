import Testing

extension EndToEnd {
    @Test func oneProviderUnderTwoNamesIsTwoPlatforms() async {
        #expect(await Scenario.run("two_names_test.py") == 0)
    }
}
