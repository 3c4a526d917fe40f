import Testing

extension EndToEnd {
    @Test func noSecretIsFoundInAnythingThatWasWritten() async {
        #expect(await Scenario.run("canary_test.py") == 0)
    }
}
