import Testing

extension EndToEnd {
    @Test func noEventIsLostWhateverDies() async { #expect(await Scenario.run("webhooks.py") == 0) }
}
