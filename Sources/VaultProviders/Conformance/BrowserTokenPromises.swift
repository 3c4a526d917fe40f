import VaultBase

extension ConformanceRun {
    /// Where the browser hands in a token, asking whether it holds is all there is: a "no" must end the grant, and
    /// nothing else may.
    func checkBrowserToken(_ engine: FlowEngine, _ report: inout ConformanceReport) async {
        func failure(_ status: Int, _ body: String, type: String = "application/json") async -> ProviderFailure? {
            do throws(ProviderFailure) {
                try await engine.readValidation(Simulated.answer(status, body, type: type), now: Simulated.now)
                return nil
            } catch { return error }
        }
        let grant = try? engine.grant(fromBrowser: Secret(Simulated.access))
        report.judge(
            "answers.exchange", "a token that holds is kept, and one that cannot be a token is not",
            fault: grant?.accessToken != Secret(Simulated.access)
                ? "a token is refused before anybody was asked"
                : await failure(200, "{}") != nil ? "200 is not taken for a token that holds" : nil,
            hint: "look at the rules of errors: one of them matches a success")

        let refused = [await failure(401, ""), await failure(403, ""), await failure(401, "{}")]
        report.judge(
            "failures.dead-grant", "a token that is refused ends the grant",
            fault: refused.contains { $0?.failure == .reconnect } ? nil : "neither 401 nor 403 ends the grant",
            hint: "add a rule of errors with VAULT_RECONNECT for what the platform says then")
        var fault: String?
        for (status, body, type) in [
            (500, "{}", "application/json"), (502, "", ""), (503, #"{"error":"invalid_token"}"#, "application/json"),
            (429, "{}", "application/json"), (403, "<html>Request blocked</html>", "text/html"),
            (200, "<html>Back soon</html>", "text/html"), (200, #"{"data":[{"id":"#, "application/json"),
        ] {
            let found = await failure(status, body, type: type)
            if found?.failure != .retry { fault = "\(status) \(body) is not tried again" }
        }
        report.judge(
            "failures.outage", "an outage, a limit and a page end no grant", fault: fault,
            hint: "a rule of errors with status 0 does not apply to 5xx; give rules a path")
        report.skip("answers.account", "it asks for no profile")
    }
}
