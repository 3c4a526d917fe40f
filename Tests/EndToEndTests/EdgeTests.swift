import Testing

extension EndToEnd {
    @Test func theServersOwnTLSWorksForOthers() async {
        let status = await Scenario.run("tls_test.py")
        #expect(status == 0 || status == Scenario.skipped)
    }

    @Test func theServerIsAGoodService() async {
        #expect(await Scenario.run("service_test.py") == 0)
    }

    @Test func everyAnswerIsAsTheDocumentSays() async {
        let status = await Scenario.run("contract_test.py")
        #expect(status == 0 || status == Scenario.skipped)
    }

    @Test func anIndependentLibraryVerifiesSessions() async {
        let status = await Scenario.run("sessions_test.py")
        #expect(status == 0 || status == Scenario.skipped)
    }
}
