import VaultBase

extension ConformanceRun {
    typealias Stage = FlowEngine.Stage

    /// Good answers in all the forms that providers give them.
    func checkAnswers(_ engine: FlowEngine, _ report: inout ConformanceReport) async {
        let simulated = SimulatedProvider(engine: engine)
        let description = engine.platform.provider.description
        guard let tokens = await read(engine, simulated.tokens(refresh: .string(Simulated.refresh))),
            tokens.accessToken == Secret(Simulated.access)
        else {
            if description.hasParseHook {
                return report.skip(
                    "answers", "its parse hook reads a form of its own; the simulated provider speaks JSON")
            }
            return report.fail(
                "answers.exchange", "a good answer is not understood",
                hint: "look at access_token and at the rules of errors: one of them matches a success")
        }
        report.keep("answers.exchange", "a good answer gives the access token")

        let rotated = await read(engine, simulated.tokens(refresh: .string("rotated-1")), .refresh)
        let kept = await read(engine, simulated.tokens(), .refresh)
        report.judge(
            "answers.refresh", "a refresh works with and without a new refresh token",
            fault: rotated?.refreshToken != Secret("rotated-1")
                ? "a new refresh token is not seen"
                : kept == nil || kept?.refreshToken != nil
                    ? "an answer without a refresh token is misread" : nil,
            hint: "look at refresh_token, and at what else stands at that path")

        var fault: String?
        for (value, seconds) in Self.lifetimes {
            guard let grant = await read(engine, simulated.tokens(expires: value)) else {
                fault = "a token that lives for \(value?.rendered ?? "nothing said") is refused"
                continue
            }
            let limit = max(FlowEngine.longestLifetime, description.response.defaultLifetime ?? 0)
            if let seen = grant.expiresIn, seen <= 0 || seen > limit { fault = "a lifetime of \(seen) s comes out" }
            if let seconds, !description.response.neverExpires, grant.expiresIn != seconds {
                fault = "\(value?.rendered ?? "") is read as \(grant.expiresIn.map { "\($0) s" } ?? "no end")"
            }
        }
        report.judge(
            "answers.expires-in", "odd lifetimes (texts, 0, negative, far too large) do no harm", fault: fault,
            hint: "look at expires_in and the parse hook")

        fault = nil
        let words: [JSONValue?] = [
            nil, .null, .string(""), .string("a b"), .string("a,b"), .array([.string("a"), .string("b")]), .number("7"),
        ]
        for (index, value) in words.enumerated() {
            guard let grant = await read(engine, simulated.tokens(scope: value)) else {
                fault = "an answer with the scope \(value?.rendered ?? "") is refused"
                continue
            }
            let expected = (3...5).contains(index) ? "a b" : nil
            if description.response.scope != [""], grant.scope != expected {
                fault = "the scope \(value?.rendered ?? "") is read as \(grant.scope ?? "none")"
            }
        }
        report.judge(
            "answers.scope", "the scope is read as text, with commas, as an array, and may be missing", fault: fault,
            hint: "look at scope: its path must not lead to another member")
        await checkAccount(engine, simulated, tokens, &report)
    }

    /// What `expires_in` may be, and what it must become where that is clear.
    private static let lifetimes: [(JSONValue?, Int64?)] = [
        (.number("3600"), 3600), (.string("3600"), 3600), (nil, nil), (.null, nil), (.number("0"), nil),
        (.number("-1"), nil), (.string("soon"), nil), (.number("1e99"), nil), (.number("3599.5"), nil),
        (.bool(true), nil),
    ]

    private func checkAccount(
        _ engine: FlowEngine, _ simulated: SimulatedProvider, _ tokens: TokenGrant, _ report: inout ConformanceReport
    ) async {
        let rule = engine.platform.provider.description.accountID
        let nonce = rule == .idTokenSubject ? Simulated.nonce : nil
        func account(_ answer: ProviderAnswer?) async -> Result<Account, ProviderFailure> {
            do throws(ProviderFailure) {
                return .success(
                    try await engine.account(tokens: tokens, profile: answer, nonce: nonce, now: Simulated.now))
            } catch { return .failure(error) }
        }
        guard case .profile = rule else {
            let found = try? await account(nil).get()
            report.judge(
                "answers.account", "the account is known from the tokens",
                fault: found == nil || (rule != .minted && found?.subject != Simulated.subject)
                    ? "the account is not found" : nil,
                hint: "look at account and account_id")
            return report.skip("answers.no-account", "it asks for no profile")
        }
        var fault: String?
        for (id, subject) in [
            (JSONValue.string(Simulated.subject), Simulated.subject), (.number("9007199254740993"), "9007199254740993"),
        ] {
            let found = try? await account(Simulated.answer(200, simulated.profile(id: id))).get()
            if found?.subject != subject { fault = "the id \(subject) is read as \(found?.subject ?? "nothing")" }
        }
        report.judge(
            "answers.account", "the profile names the account, in a text or in a long number", fault: fault,
            hint: "look at account_id and the rules of errors")

        fault = nil
        for answer in [
            Simulated.answer(200, simulated.profile(id: nil)), Simulated.answer(200, "{}"),
            Simulated.answer(200, #"{"error":{"code":"denied"}}"#),
            Simulated.answer(200, "<html></html>", type: "text/html"),
            Simulated.answer(500, "{}"),
        ] {
            if case .success(let found) = await account(answer) {
                fault = "a profile without an id becomes the account \(found.subject)"
            }
        }
        report.judge(
            "answers.no-account", "a profile without an id is no account", fault: fault,
            hint: "account_id must lead to what is this account's alone, never to a constant or another member")
    }

    /// nil when it is a failure.
    func read(_ engine: FlowEngine, _ body: JSONValue, _ stage: Stage = .exchange) async -> TokenGrant? {
        try? await engine.readTokens(Simulated.answer(200, body), stage: stage, now: Simulated.now)
    }
}
