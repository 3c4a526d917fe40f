import Synchronization
import Vault
import VaultBase
import VaultProviders

/// A provider that never was: answers what its script says, and remembers what it was asked.
final class ScriptedProvider: Transport {
    typealias Script = @Sendable (_ stage: String, _ form: [String: String]) throws(ProviderFailure) -> ProviderAnswer?

    struct State {
        var script: Script?
        var calls: [String] = []
        var issued = 0
        var delay = Duration.zero
    }

    private let state = Mutex(State())

    /// The stages asked for, in order: `exchange`, `refresh`, `profile`, `revoke`.
    var calls: [String] { state.withLock { $0.calls } }

    /// How long each answer takes.
    var delay: Duration {
        get { state.withLock { $0.delay } }
        set { state.withLock { $0.delay = newValue } }
    }

    /// Answers instead of the usual; nil for the usual.
    func answer(_ script: @escaping Script) { state.withLock { $0.script = script } }

    func send(
        _ request: ProviderRequest, for platform: Platform, timeout: Duration
    ) async throws(ProviderFailure) -> ProviderAnswer {
        var form: [String: String] = [:]
        for pair in String(decoding: request.body, as: UTF8.self).split(separator: "&") {
            let halves = pair.split(separator: "=", maxSplits: 1)
            form[String(halves[0])] = halves.count == 2 ? String(halves[1]) : ""
        }
        let stage: String
        if request.url.hasSuffix("/token") {
            stage = form["grant_type"] == "refresh_token" ? "refresh" : "exchange"
        } else {
            stage = request.url.hasSuffix("/revoke") ? "revoke" : "profile"
        }
        let (script, issued) = state.withLock {
            $0.calls.append(stage)
            $0.issued += 1
            return ($0.script, $0.issued)
        }
        if delay > .zero { try? await Task.sleep(for: delay) }
        if let script, let answer = try script(stage, form) { return answer }
        switch stage {
        case "profile": return .json(#"{"id":"account-1","name":"Ada"}"#)
        case "revoke": return .json("{}")
        default:
            return .json(
                #"{"access_token":"access-\#(issued)","refresh_token":"refresh-\#(issued)","token_type":"Bearer","#
                    + #""expires_in":3600,"scope":"read"}"#)
        }
    }
}

extension ProviderAnswer {
    static func json(_ body: String, status: Int = 200, headers: [(name: String, value: String)] = []) -> Self {
        ProviderAnswer(
            status: status, headers: [("Content-Type", "application/json")] + headers, body: Array(body.utf8))
    }
}

extension Platform {
    /// A platform at `https://NAME.example`.
    static func scripted(_ name: String, posted: Bool = false) throws -> Platform {
        var description = ProviderDescription(
            id: name, displayName: name.uppercased(), issuer: "https://\(name).example")
        description.endpoints.authorize = "https://\(name).example/authorize"
        description.endpoints.token = "https://\(name).example/token"
        description.endpoints.revoke = "https://\(name).example/revoke"
        description.endpoints.profile = "https://\(name).example/me"
        description.displayNamePath = ["name"]
        description.scopes = ["read", "write"]
        description.callbackMayBePosted = posted
        return Platform(
            name: try PlatformName(name), provider: Provider(description: description), clientID: "client",
            clientSecret: Secret("client-secret"), redirectURI: "http://127.0.0.1:8000/auth/\(name)/callback")
    }

    /// One that gives its token to the browser, and knows the client by a JWT.
    static func fromBrowser(_ name: String) throws -> Platform {
        var platform = try scripted(name)
        platform.provider.description.flow = .browserToken
        platform.provider.description.refresh = .none
        platform.provider.description.accountID = .minted
        platform.provider.description.clientAuthentication = .none
        platform.provider.description.clientToken = .init(keyID: "key")
        platform.provider.description.apiAuthentication = .header(name: "Music-User-Token", prefix: "")
        platform.provider.description.endpoints = .init()
        platform.provider.description.endpoints.validate = "https://\(name).example/me"
        platform.clientTokens = FixedToken()
        return platform
    }

    private struct FixedToken: ClientTokenSigner {
        func token(at now: Timestamp) -> ClientToken {
            ClientToken(token: Secret("client-jwt"), expiresAt: now + .seconds(3600))
        }
    }
}
