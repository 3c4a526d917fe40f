import Testing

// The short forms; `make fault` runs them longer.
extension EndToEnd {
    @Test func aKillAtAnySystemCallLosesNothing() async {
        let status = await Scenario.run("fault_kills.py", ["10"])
        #expect(status == 0 || status == Scenario.skipped)
    }

    @Test func aFullDiskLosesNothing() async {
        let status = await Scenario.run("fault_full_disk.py")
        #expect(status == 0 || status == Scenario.skipped)
    }
}
