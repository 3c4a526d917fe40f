import Synchronization
import VaultBase
import VaultProviders

@testable import Vault

/// A provider in memory: codes, rotating refresh tokens with family revocation on reuse, a profile, revocation;
/// and a script of misbehaviour per stage.
final class FakeProvider: Transport {
    enum Stage: String, Sendable { case exchange, refresh, profile, revoke, metadata, validate }

    /// What to do instead of the usual, once.
    enum Step: Sendable {
        case answer(Int, String, [(name: String, value: String)] = [])
        case fail(ProviderFailure)
        /// The provider does its part, and the answer is lost.
        case lose(String)
        /// Waits at the gate, then does the usual.
        case wait(Gate)
        /// Never answers, and does not mind being cancelled.
        case hang
    }

    struct Grant: Sendable {
        var subject: String
        var refreshToken: String?
        var isRevoked = false
    }

    struct State: Sendable {
        var rotates = true
        var givesRefreshToken = true
        var expiresIn = "3600"
        var codes: [String: String] = [:]
        var grants: [Grant] = []
        var spent: [String: Int] = [:]
        var script: [Stage: [Step]] = [:]
        var calls: [Stage: Int] = [:]
        var forms: [Stage: [[String: String]]] = [:]
        /// The tokens that a browser may hand in.
        var browserTokens: Set<String> = []
        var serial = 0
        /// How often a refresh token that was spent was presented again.
        var reuses = 0
    }

    let state = Mutex(State())

    func send(
        _ request: ProviderRequest, for platform: Platform, timeout: Duration
    ) async throws(ProviderFailure) -> ProviderAnswer {
        let form = Self.form(request)
        let stage = Self.stage(request, form)
        let step: Step? = state.withLock { state in
            state.calls[stage, default: 0] += 1
            state.forms[stage, default: []].append(form)
            guard let steps = state.script[stage], !steps.isEmpty else { return nil }
            return state.script[stage]?.removeFirst()
        }
        switch step {
        case .answer(let status, let body, let headers):
            return ProviderAnswer(
                status: status, headers: [("Content-Type", "application/json")] + headers, body: Array(body.utf8))
        case .fail(let failure): throw failure
        case .lose(let code):
            _ = usual(stage, request, form)
            throw ProviderFailure(failure: .retry, code: code)
        case .wait(let gate): await gate.pass()
        case .hang:
            // An uninterruptible wait: nobody resumes it, so it must not be a checked one.
            await withUnsafeContinuation { (_: UnsafeContinuation<Void, Never>) in }
        case nil: break
        }
        return usual(stage, request, form)
    }

    // MARK: For tests

    /// A code for the account, as if its user had consented.
    func consent(_ subject: String) -> String {
        state.withLock { state in
            state.serial += 1
            let code = "code-\(state.serial)"
            state.codes[code] = subject
            return code
        }
    }

    func script(_ stage: Stage, _ steps: Step...) { state.withLock { $0.script[stage, default: []] += steps } }
    func calls(_ stage: Stage) -> Int { state.withLock { $0.calls[stage] ?? 0 } }
    func sent(_ name: String, to stage: Stage) -> [String] {
        state.withLock { $0.forms[stage, default: []].compactMap { $0[name] } }
    }
    var isAnyGrantRevoked: Bool { state.withLock { $0.grants.contains(where: \.isRevoked) } }

    // MARK: The usual

    private func usual(_ stage: Stage, _ request: ProviderRequest, _ form: [String: String]) -> ProviderAnswer {
        state.withLock { state in
            switch stage {
            case .exchange:
                guard let code = form["code"], let subject = state.codes.removeValue(forKey: code) else {
                    return Self.json(400, "{\"error\":\"invalid_grant\"}")
                }
                state.grants.append(Grant(subject: subject))
                return Self.tokens(&state, state.grants.count - 1, fresh: true)
            case .refresh:
                let token = form["refresh_token"] ?? ""
                if let index = state.grants.firstIndex(where: { $0.refreshToken == token && !$0.isRevoked }) {
                    return Self.tokens(&state, index, fresh: state.rotates)
                }
                if let index = state.spent[token] {
                    state.reuses += 1
                    state.grants[index].isRevoked = true
                }
                return Self.json(400, "{\"error\":\"invalid_grant\"}")
            case .profile:
                let token = request.headers.first { $0.name == "Authorization" }?.value ?? ""
                guard let index = Int(token.split(separator: "-").dropFirst().first ?? "") else {
                    return Self.json(401, "{\"error\":\"invalid_token\"}")
                }
                let subject = state.grants[index].subject
                return Self.json(200, "{\"id\":\"\(subject)\",\"name\":\"Name of \(subject)\"}")
            case .revoke:
                if let index = state.grants.firstIndex(where: { $0.refreshToken == form["token"] }) {
                    state.grants[index].isRevoked = true
                }
                return Self.json(200, "{}")
            case .validate:
                // An access token is believed; a browser's token must be one that was given.
                guard let token = request.headers.first(where: { $0.name == "Music-User-Token" })?.value else {
                    return Self.json(200, "{}")
                }
                return state.browserTokens.contains(token)
                    ? Self.json(200, "{}") : Self.json(403, "{\"error\":\"invalid_token\"}")
            case .metadata:
                return Self.json(
                    200,
                    """
                    {"issuer":"https://provider.example","authorization_endpoint":"https://provider.example/authorize",
                    "token_endpoint":"https://provider.example/token","code_challenge_methods_supported":["S256"]}
                    """)
            }
        }
    }

    private static func tokens(_ state: inout State, _ index: Int, fresh: Bool) -> ProviderAnswer {
        state.serial += 1
        var body = "{\"access_token\":\"access-\(index)-\(state.serial)\",\"token_type\":\"Bearer\""
        if !state.expiresIn.isEmpty { body += ",\"expires_in\":\(state.expiresIn)" }
        if fresh, state.givesRefreshToken {
            if let old = state.grants[index].refreshToken { state.spent[old] = index }
            state.grants[index].refreshToken = "refresh-\(index)-\(state.serial)"
            body += ",\"refresh_token\":\"refresh-\(index)-\(state.serial)\""
        }
        return json(200, body + "}")
    }

    static func json(_ status: Int, _ body: String) -> ProviderAnswer {
        ProviderAnswer(status: status, headers: [("Content-Type", "application/json")], body: Array(body.utf8))
    }

    private static func stage(_ request: ProviderRequest, _ form: [String: String]) -> Stage {
        if request.url.contains("/.well-known/") { return .metadata }
        if ["/profile", "/me", "/@me"].contains(where: request.url.hasSuffix) { return .profile }
        if request.url.hasSuffix("/validate") { return .validate }
        if request.url.hasSuffix("/revoke") { return .revoke }
        return form["grant_type"] == "refresh_token" ? .refresh : .exchange
    }

    static func form(_ request: ProviderRequest) -> [String: String] {
        var form: [String: String] = [:]
        for pair in String(decoding: request.body, as: UTF8.self).split(separator: "&") {
            let halves = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            form[String(halves[0])] = halves.count == 2 ? String(halves[1]) : ""
        }
        return form
    }
}
