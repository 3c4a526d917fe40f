import VaultBase

extension ConformanceRun {
    /// The answers that the plugin itself shows, in `example.*` of `more`: each must come to what it says, and half of
    /// it to nothing final. They are what makes a parse hook more than survive.
    func checkExamples(_ engine: FlowEngine, _ report: inout ConformanceReport) async {
        let examples = provider.description.examples
        guard !examples.isEmpty else {
            guard provider.description.hasParseHook else { return }
            return report.doubt(
                "examples.meaning",
                "its parse hook was given odd input alone: the plugin shows no answer of its platform",
                hint: #"add answers to `more`: {"example.exchange.tokens", "<lfm status=\"ok\">…"}"#)
        }
        var wrong: String?
        var broken: String?
        for example in examples {
            let found = await meaning(of: example, cut: false, engine)
            if found != example.meaning {
                wrong = wrong ?? "\(Self.name(example)) is taken for \(Self.word(found))"
            }
            guard example.status < 300 else { continue }
            let half = await meaning(of: example, cut: true, engine)
            if half == .failure(.reconnect) {
                broken = broken ?? "half of \(Self.name(example)) is taken for a dead grant"
            }
        }
        report.judge(
            "examples.meaning", "the answers it shows are understood as it says (\(examples.count))", fault: wrong,
            hint: "look at the paths, the rules of errors and the parse hook")
        report.judge(
            "examples.truncated", "half of an answer it shows ends no grant", fault: broken,
            hint: "the parse hook must refuse, or leave alone, what it does not understand")
    }

    private func meaning(
        of example: ProviderDescription.Example, cut: Bool, _ engine: FlowEngine
    ) async -> ProviderDescription.Example.Meaning {
        let body = Array(example.body.utf8)
        let answer = ProviderAnswer(
            status: example.status, headers: [], body: Array(body.prefix(cut ? body.count / 2 : body.count)))
        do throws(ProviderFailure) {
            switch example.stage {
            case .exchange, .refresh, .authorize:
                _ = try await engine.readTokens(answer, stage: example.stage, now: Simulated.now)
                return .tokens
            case .profile:
                _ = try await engine.account(
                    tokens: TokenGrant(accessToken: Secret(Simulated.access)), profile: answer, nonce: nil,
                    now: Simulated.now)
                return .account
            case .validate: try await engine.readValidation(answer, now: Simulated.now)
            case .revoke: try await engine.readRevocation(answer, now: Simulated.now)
            }
            return .valid
        } catch { return .failure(error.failure) }
    }

    private static func name(_ example: ProviderDescription.Example) -> String {
        "the \(example.stage.rawValue) example with \(example.status)"
    }

    private static func word(_ meaning: ProviderDescription.Example.Meaning) -> String {
        switch meaning {
        case .tokens: "tokens"
        case .account: "an account"
        case .valid: "done"
        case .failure(let failure): word(failure)
        }
    }
}
