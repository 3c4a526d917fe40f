import VaultBase

// A hook is somebody else's code: what it returns is held to the same rules as what a description says, and the
// parts that protect a login (RFC 9700 §2.1) must come back untouched.

extension FlowEngine {
    /// The request after the plugin's `prepare`, checked; the request itself when there is no such hook.
    func prepared(_ request: ProviderRequest, _ stage: Stage, scope: String) async throws(VaultError) -> ProviderRequest
    {
        guard description.hasPrepareHook, let hooks = platform.provider.hooks else { return request }
        let changed = try await hooks.prepare(stage, request, context(scope: scope, now: clock.now()))
        try check(changed, against: request, stage)
        return changed
    }

    /// The answer after the plugin's `parse`, checked; the answer itself when there is no such hook.
    func parsed(_ answer: ProviderAnswer, _ stage: Stage, now: Timestamp) async throws(ProviderFailure)
        -> ProviderAnswer
    {
        guard description.hasParseHook, let hooks = platform.provider.hooks else { return answer }
        do {
            var changed = try await hooks.parse(stage, answer, context(scope: "", now: now))
            // The status and the headers stay the provider's: an outage cannot be turned into a success or a dead
            // grant by its plugin's parser.
            if answer.status >= 400 || !(200..<600).contains(changed.status) { changed.status = answer.status }
            changed.headers = answer.headers
            guard changed.body.count <= JSONValue.sizeLimit else { throw VaultError(.plugin, "its answer is too long") }
            return changed
        } catch {
            // What came over the wire is gone now; whether a redemption happened is not known.
            throw ProviderFailure(failure: .retry, code: "plugin-parse", status: answer.status)
        }
    }

    private func context(scope: String, now: Timestamp) -> HookContext {
        HookContext(
            now: now, scope: scope, clientID: platform.clientID,
            clientSecret: description.hookNeedsSecret ? platform.clientSecret : nil,
            parameters: platform.parameters.filter { description.userParameters.contains($0.key) })
    }

    private func check(_ changed: ProviderRequest, against request: ProviderRequest, _ stage: Stage) throws(VaultError)
    {
        func fault(_ what: String) -> VaultError {
            VaultError(
                .plugin, "the plugin \(description.id) \(what) at \(stage.rawValue)",
                hint: "tell its author; until then choose another provider for platform \(platform.name)")
        }
        guard ["GET", "POST", "PUT", "DELETE"].contains(changed.method),
            stage != .authorize || (changed.method == "GET" && changed.body.isEmpty && changed.headers.isEmpty)
        else { throw fault("changed the method to one that is not allowed") }
        guard policy.allows(changed.url) else { throw fault("named a URL that is not one of its own") }
        guard changed.body.count <= 65536, changed.headers.count <= 64 else {
            throw fault("made a request that is too long")
        }
        for (name, value) in changed.headers {
            guard HeaderRules.isName(name), HeaderRules.isValue(value), value.utf8.count <= 32768 else {
                throw fault("made a header that is none")
            }
            guard HeaderRules.mayBeSet(name) else { throw fault("set the header \(name)") }
        }
        for logical in [
            "state", "redirect_uri", "response_type", "code_challenge", "code_challenge_method", "code_verifier",
            "nonce",
        ] {
            let name = description.names["\(stage.key).\(logical)"] ?? description.names[logical] ?? logical
            guard changed.values(of: name) == request.values(of: name) else { throw fault("changed \(logical)") }
        }
    }
}

extension ProviderRequest {
    /// Every value of one parameter, in the query, then in a form, then in a JSON object.
    fileprivate func values(of name: String) -> [String] {
        let query = WebAddress(url)?.query.flatMap { FormText.decode($0) } ?? []
        var pairs = query
        if let json = JSONValue(body) {
            if let value = json.at([name])?.text { pairs.append((name, value)) }
        } else if let text = String(validating: body, as: UTF8.self) {
            pairs += FormText.decode(text) ?? []
        }
        return pairs.filter { $0.name == name }.map(\.value)
    }
}

/// Header fields (RFC 9110 §5).
enum HeaderRules {
    static func isName(_ name: String) -> Bool {
        (1...64).contains(name.utf8.count)
            && name.utf8.allSatisfy {
                (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0) || $0 == 0x2D
                    || $0 == 0x5F
            }
    }

    static func isValue(_ value: String) -> Bool { value.utf8.allSatisfy { (0x20...0x7E).contains($0) || $0 == 0x09 } }

    /// Not what frames the message or says whom it is for: that is the transport's.
    static func mayBeSet(_ name: String) -> Bool {
        ![
            "host", "content-length", "transfer-encoding", "connection", "upgrade", "te", "trailer", "expect", "cookie",
            "proxy-authorization", "keep-alive",
        ].contains(name.lowercased())
    }
}
