import VaultBase

/// One plugin against the simulated provider. Sans I/O: it builds requests and reads answers, and sends nothing.
struct ConformanceRun {
    typealias Simulated = SimulatedProvider

    let provider: Provider
    /// The same plugin, loaded once more.
    let again: Provider?
    private(set) var platform: Platform
    /// Returns in another second.
    let pause: @Sendable () async -> Void

    init(
        _ provider: Provider, again: Provider?, settings: [String: String] = [:],
        pause: @escaping @Sendable () async -> Void = {}
    ) {
        self.pause = pause
        self.provider = provider
        self.again = again
        guard let name = try? PlatformName("conformance") else {
            preconditionFailure("conformance is a platform's name")
        }
        platform = Platform(
            name: name, provider: provider, clientID: Simulated.client, clientSecret: Secret(Simulated.secret),
            redirectURI: "https://app.example/auth/conformance/callback",
            parameters: Self.settings(provider.description).merging(settings) { $1 })
        if provider.description.clientToken != nil { platform.clientTokens = Signer() }
    }

    func check(_ report: inout ConformanceReport) async {
        checkDescription(&report)
        do throws(VaultError) { try platform.check() } catch {
            return report.fail(
                "description.usable", error.message,
                hint: "with the settings that its `settings` lists a platform must work")
        }
        guard let engine = engine(platform) else {
            return report.fail(
                "description.usable", "metadata of its issuer with all endpoints is not enough for it",
                hint: "look at discovery, hosts and issuer")
        }
        report.keep("description.usable", "with the settings it lists, a platform of it works")
        guard await checkHooks(engine, &report) else {
            for promise in ["requests", "answers", "failures", "revocation", "examples"] {
                report.skip(promise, "not checked, since its hooks fail")
            }
            return
        }
        await checkRequests(engine, &report)
        if provider.description.flow == .browserToken {
            await checkBrowserToken(engine, &report)
        } else {
            await checkAnswers(engine, &report)
            await checkFailures(engine, &report)
        }
        await checkRevocation(engine, &report)
        await checkExamples(engine, &report)
    }

    /// With the endpoints that discovery would find.
    func engine(_ platform: Platform) -> FlowEngine? {
        let clock = Moment()
        let engine = FlowEngine(platform, clock: clock)
        guard !engine.discoveryRequests.isEmpty else { return engine }
        let found = try? engine.discovered(Simulated.answer(200, Simulated.metadata(engine)))
        return found.map { FlowEngine($0, clock: clock) }
    }

    private struct Moment: WallClock { func now() -> Timestamp { SimulatedProvider.now } }

    private struct Signer: ClientTokenSigner {
        func token(at now: Timestamp) -> ClientToken {
            ClientToken(token: Secret(Simulated.clientToken), expiresAt: now + .seconds(3600))
        }
    }

    /// What an operator would write where the plugin leaves a choice: an address where one is needed, a word elsewhere.
    /// What only some platforms set is left unset.
    private static func settings(_ description: ProviderDescription) -> [String: String] {
        let words = ["account-id", "client-auth", "display-name-path", "pkce", "refresh-rule", "scope-separator"]
        var values: [String: String] = [:]
        for name in description.userParameters where !words.contains(name) {
            let place = "{user.\(name)}"
            let inFront = (description.endpoints.all + [description.issuer]).contains { $0.hasPrefix(place) }
            values[name] =
                description.hosts.contains(place)
                ? "provider.example"
                : inFront
                    ? (name == "issuer" ? "https://provider.example" : "https://provider.example/\(name)") : "sample"
        }
        return values
    }

    /// What no request shows.
    private func checkDescription(_ report: inout ConformanceReport) {
        let description = provider.description
        let mode = description.authorizeParameters["response_mode"]
        let lost = mode == "fragment" || (mode == "form_post" && !description.callbackMayBePosted)
        report.judge(
            "description.callback", "its callback arrives in a way that vault reads",
            fault: lost ? "response_mode \(mode ?? "") sends the callback where vault does not read it" : nil,
            hint: "leave response_mode out, or set VAULT_CALLBACK_MAY_BE_POSTED for form_post")
        let validates = !description.endpoints.validate.isEmpty
        report.judge(
            "description.validate", "asking whether a token holds has an address and an interval, or neither",
            fault: validates == (description.validateEvery != nil)
                ? nil : "only one of validate and validate_every is set",
            hint: "set both, or neither")
        if description.flow != .code {
            report.skip("description.pkce", "nobody is sent to a login page")
        } else if description.pkce == .unsupported {
            report.doubt(
                "description.pkce", "logins are not protected by PKCE",
                hint: "try VAULT_PKCE_SUPPORTED: most servers ignore parameters they do not know (RFC 6749 §3.1)")
        } else {
            report.keep("description.pkce", "logins are protected by PKCE")
        }
        if let idle = description.idleLifetime, let absolute = description.absoluteLifetime, idle >= absolute {
            report.doubt(
                "description.lifetimes", "a grant cannot be idle for longer than it lives",
                hint: "compare idle_lifetime and absolute_lifetime")
        }
    }
}
