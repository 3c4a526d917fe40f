import VaultBase

extension ConformanceRun {
    /// Failures of every kind: what ends a grant must end it, and nothing else may.
    func checkFailures(_ engine: FlowEngine, _ report: inout ConformanceReport) async {
        let simulated = SimulatedProvider(engine: engine)
        let description = engine.platform.provider.description
        let whole = Array(simulated.tokens(refresh: .string(Simulated.refresh)).rendered.utf8)
        let rules = "look at the rules of errors: one of them says otherwise"

        func failure(_ answer: ProviderAnswer, _ stage: Stage) async -> ProviderFailure? {
            do throws(ProviderFailure) {
                _ = try await engine.readTokens(answer, stage: stage, now: Simulated.now)
                return nil
            } catch { return error }
        }
        /// The first of the answers that is not taken as it must be, in words.
        func first(
            _ answers: [(String, ProviderAnswer)], _ stage: Stage = .refresh, is allowed: Set<FailureClass>
        ) async -> String? {
            for (name, answer) in answers {
                let found = await failure(answer, stage)
                guard let found else { return "\(name) is taken for success" }
                if !allowed.contains(found.failure) { return "\(name) is taken for \(Self.word(found.failure))" }
            }
            return nil
        }
        let answer = Simulated.answer(_:_:type:_:)
        let json = "application/json"
        let notDead: Set<FailureClass> = [.retry, .operatorAction, .restartLogin]

        report.judge(
            "failures.error-in-200", "a 200 with an error, or without a token, is a failure",
            fault: await first(
                [
                    ("200 with invalid_grant", answer(200, #"{"error":"invalid_grant"}"#, json, [])),
                    ("200 without a token", Simulated.answer(200, simulated.tokens(access: nil))),
                ], is: [.reconnect, .retry, .operatorAction, .restartLogin]),
            hint: "the parse hook must not make tokens out of errors")
        if description.refresh == .none {
            report.skip("failures.dead-grant", "it has no refresh tokens")
        } else if description.hasParseHook,
            await failure(answer(400, #"{"error":"invalid_grant"}"#, json, []), .refresh)?.code == "plugin-parse"
        {
            report.skip(
                "failures.dead-grant", "its parse hook reads a form of its own; the simulated provider speaks JSON")
        } else {
            report.judge(
                "failures.dead-grant", "invalid_grant on a refresh ends the grant",
                fault: await first(
                    [("400 invalid_grant", answer(400, #"{"error":"invalid_grant"}"#, json, []))], is: [.reconnect]),
                hint: rules)
        }
        report.judge(
            "failures.lost-code", "a code that is refused is not tried again: it works once",
            fault: await first(
                [("400 invalid_grant", answer(400, #"{"error":"invalid_grant"}"#, json, []))], .exchange,
                is: [.restartLogin, .reconnect, .operatorAction]), hint: rules)
        report.judge(
            "failures.registration", "a wrong registration costs no tokens",
            fault: await first(
                [
                    ("401 invalid_client", answer(401, #"{"error":"invalid_client"}"#, json, [])),
                    ("400 invalid_client", answer(400, #"{"error":"invalid_client"}"#, json, [])),
                    ("400 unauthorized_client", answer(400, #"{"error":"unauthorized_client"}"#, json, [])),
                ], is: [.operatorAction, .retry]), hint: rules)

        let date = "Fri, 15 Jan 2027 08:00:30 GMT"
        var fault: String?
        for (text, seconds) in [("7", 7), (date, 30)] {
            let found = await failure(answer(429, "{}", json, [("Retry-After", text)]), .refresh)
            if found?.failure != .retry {
                fault = "429 is taken for \(found.map { Self.word($0.failure) } ?? "success")"
            } else if found?.retryAfter != .seconds(seconds) {
                fault = "Retry-After: \(text) is not honoured"
            }
        }
        report.judge(
            "failures.rate-limit", "429 waits as long as Retry-After says, in seconds or as a date", fault: fault,
            hint: rules)
        report.judge(
            "failures.outage", "an outage ends no grant, whatever its body says",
            fault: await first(
                [
                    ("500", answer(500, "{}", json, [])),
                    ("500 with a page", answer(500, "<html>500</html>", "text/html", [])),
                    ("502 with nothing", answer(502, "", json, [])),
                    ("503 with invalid_grant", answer(503, #"{"error":"invalid_grant"}"#, json, [])),
                    ("500 with invalid_grant", answer(500, #"{"error":"invalid_grant"}"#, json, [])),
                ], is: [.retry]),
            hint: "a rule of errors with status 0 does not apply to 5xx; one that names a 5xx must be sure of its text")
        report.judge(
            "failures.page", "a page instead of an answer ends no grant",
            fault: await first(
                [
                    (
                        "403 with a page",
                        answer(403, "<html><title>403 Forbidden</title>Request blocked</html>", "text/html", [])
                    ), ("200 with a page", answer(200, "<html>Sign in to the network</html>", "text/html", [])),
                    ("404 with a page", answer(404, "<html>Not Found</html>", "text/html", [])),
                ], is: notDead), hint: "give the rule in errors a path: without one it is compared with whole pages")
        report.judge(
            "failures.truncated", "half an answer ends no grant",
            fault: await first(
                [whole.count / 2, whole.count - 1].map { size in
                    (
                        "the first \(size) of \(whole.count) bytes",
                        ProviderAnswer(status: 200, headers: [("Content-Type", json)], body: Array(whole.prefix(size)))
                    )
                } + [
                    ("an empty 200", answer(200, "", json, [])), ("200 []", answer(200, "[]", json, [])),
                    ("200 null", answer(200, "null", json, [])),
                ], is: notDead), hint: "the parse hook must refuse, or leave alone, what it does not understand")
    }

    static func word(_ failure: FailureClass) -> String {
        switch failure {
        case .reconnect: "a dead grant (VAULT_RECONNECT)"
        case .restartLogin: "a lost login (VAULT_RESTART_LOGIN)"
        case .retry: "temporary (VAULT_RETRY)"
        case .operatorAction: "a wrong registration (VAULT_OPERATOR)"
        }
    }
}
