import Testing

extension EndToEnd {
    @Test func refusesReadOnlyFileSystemsAndOwnersInOtherContainers() async {
        let status = await Scenario.run("fault_guard_rails.py")
        #expect(status == 0 || status == Scenario.skipped)
    }

    @Test func saysWhatHoldsThePluginsWhereProcessesAreHidden() async {
        let status = await Scenario.run("hidden_processes_test.py")
        #expect(status == 0 || status == Scenario.skipped)
    }

    @Test func saysWhatAPluginCouldDoWhereTheKernelLacksLandlock() async {
        let status = await Scenario.run("missing_protection_test.py")
        #expect(status == 0 || status == Scenario.skipped)
    }
}
