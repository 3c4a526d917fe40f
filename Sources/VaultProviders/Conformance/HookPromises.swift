import VaultBase

extension ConformanceRun {
    /// Hooks are pure functions that answer in time, whatever they are given.
    ///
    /// - Returns: whether the flow can be checked with them.
    func checkHooks(_ engine: FlowEngine, _ report: inout ConformanceReport) async -> Bool {
        let description = provider.description
        guard let hooks = provider.hooks, description.hasPrepareHook || description.hasParseHook else {
            report.skip("hooks", "it has none")
            return true
        }
        let calls = await calls(engine)
        var outputs: [Output] = []
        var odd: (survives: String?, serves: String?) = (nil, nil)
        for call in calls {
            let output = await call.run(hooks)
            if case .failed(let words) = output { odd.survives = odd.survives ?? "\(call.name): \(words)" }
            if case .refused = output, call.isOrdinary {
                odd.serves = odd.serves ?? "it refuses \(call.name)"
            }
            if odd.survives != nil { break }
            outputs.append(output)
        }
        report.judge(
            "hooks.survive", "its hooks return within a second, whatever they are given", fault: odd.survives,
            hint: "build it with -g -fsanitize=address,undefined and call the hook with that input")
        guard odd.survives == nil else { return false }
        report.judge(
            "hooks.serve", "its hooks take every ordinary request", fault: odd.serves,
            hint: "return VAULT_DONE at stages that need no change")

        // Later, in another order and in another process: nothing may depend on what came before.
        await pause()
        var fault: String?
        for second in [hooks, again?.hooks ?? hooks] {
            for (call, output) in zip(calls, outputs).reversed() where fault == nil {
                if await call.run(second) != output { fault = "it gives another result for the same \(call.name)" }
            }
        }
        report.judge(
            "hooks.deterministic", "the same arguments give the same bytes", fault: fault,
            hint: "use no clock but call->now, no randomness, no addresses, and no memory that outlives a call")
        return odd.serves == nil
    }

    private enum Output: Equatable {
        case request(String), answer([UInt8]), refused, failed(String)
    }

    private struct Call {
        var name: String
        /// Whether refusing it costs a login.
        var isOrdinary: Bool
        var run: (any ProviderHooks) async -> Output
    }

    private func calls(_ engine: FlowEngine) async -> [Call] {
        var plain = engine.platform
        plain.provider.hooks = nil
        let bare = FlowEngine(plain)
        let context = HookContext(
            now: Simulated.now, scope: engine.defaultScopes.joined(separator: " "), clientID: Simulated.client,
            clientSecret: provider.description.hookNeedsSecret ? Secret(Simulated.secret) : nil,
            parameters: platform.parameters.filter { provider.description.userParameters.contains($0.key) })
        var calls: [Call] = []
        if provider.description.hasPrepareHook {
            for (stage, request) in await Self.requests(bare) {
                calls.append(
                    Call(name: "\(stage.rawValue) request", isOrdinary: true) { hooks in
                        do throws(VaultError) {
                            return .request(Self.all(try await hooks.prepare(stage, request, context)))
                        } catch { return Self.output(error) }
                    })
            }
        }
        if provider.description.hasParseHook {
            let good = SimulatedProvider(engine: engine).tokens(refresh: .string(Simulated.refresh)).rendered
            for (name, body) in [
                ("good answer", Array(good.utf8)), ("empty answer", []), ("half an answer", Array(good.utf8.prefix(9))),
                ("page", Array("<html><body>403</body></html>".utf8)),
                ("error", Array(#"{"error":"invalid_grant"}"#.utf8)),
                ("answer that is no text", [0xFF, 0xFE, 0, 0x22, 0x80]),
                ("answer of zeros", [UInt8](repeating: 0, count: 64)),
                ("answer of 1 MiB", [UInt8](repeating: 0x5B, count: JSONValue.sizeLimit)),
            ] {
                for (stage, status) in [(Stage.exchange, 200), (.refresh, 400), (.profile, 200)] {
                    let answer = ProviderAnswer(status: status, headers: [], body: body)
                    calls.append(
                        Call(name: "\(name) at \(stage.rawValue)", isOrdinary: false) { hooks in
                            do throws(VaultError) {
                                return .answer(try await hooks.parse(stage, answer, context).body)
                            } catch { return Self.output(error) }
                        })
                }
            }
        }
        return calls
    }

    private static func output(_ error: VaultError) -> Output {
        error.code == .plugin ? .refused : .failed(error.message)
    }

    /// One request of each stage, as they are before the plugin's hook.
    private static func requests(_ engine: FlowEngine) async -> [(Stage, ProviderRequest)] {
        let access = Secret(Simulated.access)
        let scope = engine.defaultScopes.joined(separator: " ")
        var all: [(Stage, ProviderRequest)] = []
        if engine.description.flow == .code,
            let url = try? await engine.authorizationURL(
                state: Simulated.state, challenge: engine.usesPKCE ? Simulated.challenge : nil, nonce: nil,
                scopes: engine.defaultScopes)
        {
            all.append((.authorize, ProviderRequest(method: "GET", url: url)))
        }
        if engine.description.flow == .clientCredentials,
            let request = try? await engine.clientCredentialsRequest(scope: scope)
        {
            all.append((.exchange, request))
        }
        if engine.description.flow == .code,
            let request = try? await engine.tokenRequest(
                code: Simulated.code, verifier: Secret(Simulated.verifier), scope: scope, state: Simulated.state)
        {
            all.append((.exchange, request))
        }
        if engine.description.refresh != .none,
            let request = try? await engine.refreshRequest(refreshToken: Secret(Simulated.refresh), scope: scope)
        {
            all.append((.refresh, request))
        }
        if let request = try? await engine.profileRequest(accessToken: access) { all.append((.profile, request)) }
        if let request = try? await engine.validateRequest(accessToken: access) { all.append((.validate, request)) }
        for request in (try? await engine.revocationRequests(accessToken: access, refreshToken: nil)) ?? [] {
            all.append((.revoke, request))
        }
        return all
    }
}
