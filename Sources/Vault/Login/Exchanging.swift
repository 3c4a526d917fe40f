import Logging
import VaultBase
import VaultCrypto
import VaultProviders
import VaultRecords

/// What a code brought: tokens, and whose they are.
struct Harvest: Sendable {
    var grant: TokenGrant
    var account: Account
    var platform: Platform
}

extension Vault {
    /// The engine of the platform, if it is still what the browser was sent to.
    ///
    /// - Throws: ``LoginFailure``.
    func engine(for login: LoginRecord) async throws -> FlowEngine {
        guard let engine = try? await provider.engine(for: login.platform) else { throw LoginFailure(code: "retry") }
        let (platform, description) = (engine.platform, engine.platform.provider.description)
        // RFC 9700 §4.4.2: the settings or the metadata may have changed since.
        guard login.issuer == description.issuer, login.tokenEndpoint == description.endpoints.token,
            login.clientID == platform.clientID, login.redirectURI == platform.redirectURI
        else { throw LoginFailure(code: "restart-login") }
        return engine
    }

    /// Redeems the code where the login was sent, and nowhere else, then asks whose tokens they are. A token that came
    /// from the browser is asked about instead.
    ///
    /// - Throws: ``LoginFailure``.
    func exchange(_ code: String, for login: LoginRecord, _ engine: FlowEngine) async throws -> Harvest {
        let platform = engine.platform
        do {
            let grant: TokenGrant
            if platform.provider.description.flow == .browserToken {
                grant = try engine.grant(fromBrowser: Secret(code))
                try await provider.validate(grant.accessToken, engine, now: records.clock.now())
            } else {
                let request = try await engine.tokenRequest(
                    code: code, verifier: login.verifier, scope: login.scope, state: login.state)
                let answer = try await provider.send(request, platform, .exchange)
                grant = try await engine.readTokens(answer, stage: .exchange, now: records.clock.now())
            }
            let account = try await account(of: grant, engine, login)
            observation.exchange(login.platform, "ok")
            return Harvest(grant: grant, account: account, platform: platform)
        } catch {
            throw failure(of: error, login)
        }
    }

    private func account(of grant: TokenGrant, _ engine: FlowEngine, _ login: LoginRecord) async throws -> Account {
        let request = try await engine.profileRequest(accessToken: grant.accessToken)
        // Asking who it is can be done twice; the code cannot.
        var triesLeft = request == nil ? 0 : 1
        while true {
            do throws(ProviderFailure) {
                var profile: ProviderAnswer?
                if let request { profile = try await provider.send(request, engine.platform, .profile) }
                return try await engine.account(
                    tokens: grant, profile: profile, nonce: login.nonce, now: records.clock.now())
            } catch {
                guard error.failure == .retry, triesLeft > 0 else { throw error }
                triesLeft -= 1
            }
        }
    }

    private func failure(of error: any Error, _ login: LoginRecord) -> LoginFailure {
        let code: String
        switch error {
        case let failure as ProviderFailure:
            switch failure.failure {
            case .reconnect, .restartLogin: code = "restart-login"
            case .retry: code = "retry"
            case .operatorAction: code = "operator"
            }
            logger.warning(
                "exchange.failed",
                metadata: facts(
                    login.user, login.platform,
                    ["class": "\(failure.failure.rawValue)", "code": "\(failure.code)"]))
        case let fault as VaultError:
            code = "operator"
            logger.warning(
                "exchange.failed", metadata: facts(login.user, login.platform, ["code": "\(fault.code)"]))
        default: code = "operator"
        }
        observation.exchange(login.platform, code)
        return LoginFailure(code: code)
    }
}
