import Testing

extension EndToEnd {
    @Test func refusesReadOnlyFileSystemsAndOwnersInOtherContainers() async {
        let status = await Scenario.run("fault_guard_rails.py")
        #expect(status == 0 || status == Scenario.skipped)
    }
}
