import Logging
public import VaultBase
import VaultCrypto
import VaultProviders
import VaultRecords

extension Vault {
    /// Finishes a login from the callback's parameters, in the order they came, repeated ones included.
    ///
    /// Runs to its end whatever becomes of the caller. The same callback from the same browser gets the
    /// same answer.
    /// - Throws: `forbidden` for another browser, an unknown, ended or foreign state, and a second, different
    ///   callback for one state: nothing may be redirected then. Failures of the login itself are a
    ///   ``LoginEnd/failed``. The store's errors.
    public func completeLogin(
        at platform: PlatformName, parameters: [(name: String, value: String)], binding: Secret?
    ) async throws -> LoginEnd {
        let description = try platforms.platform(platform).provider.description
        // A token in a URL is no callback (RFC 9700 §2.1.2).
        guard description.flow == .code else { throw Self.foreignCallback }
        return try await complete(platform, description, parameters, binding)
    }

    /// Finishes a login at a platform that gives its token to the browser, with the token that the browser hands in.
    ///
    /// The rules are those of a callback: the state works once, in the browser that began the login, and the same
    /// again gets the same answer.
    /// - Throws: as ``completeLogin(at:parameters:binding:)``.
    public func completeLogin(
        at platform: PlatformName, state: String, token: Secret, binding: Secret?
    ) async throws -> LoginEnd {
        var description = try platforms.platform(platform).provider.description
        guard description.flow == .browserToken else { throw Self.foreignCallback }
        // These parameters are ours: no provider has other names for them.
        (description.names, description.stateCarrier) = ([:], .parameter)
        return try await complete(platform, description, [("state", state), ("code", token.reveal())], binding)
    }

    private func complete(
        _ platform: PlatformName, _ description: ProviderDescription, _ parameters: [(name: String, value: String)],
        _ binding: Secret?
    ) async throws -> LoginEnd {
        guard let binding, let state = Callback.state(in: parameters, description),
            let callback = Callback(parameters, description),
            let login = try records.read({ try $0.login(state) }), login.platform == platform,
            Digest.equal(login.binding, Self.hash(binding))
        else {
            observation.login(platform, "forbidden")
            logger.notice("login.forbidden", metadata: facts(nil, platform))
            throw Self.foreignCallback
        }
        let finished = try await logins.join(state) { [self] in try await finish(state, callback) }
        guard case .finished(let remembered, let outcome) = finished.progress,
            Digest.equal(remembered, callback.hash)
        else { throw Self.foreignCallback }
        return try end(finished, outcome)
    }

    static var foreignCallback: VaultError {
        VaultError(
            .forbidden, "this callback belongs to no login of this browser",
            hint: "start the login again from the application")
    }

    /// The answer for the browser: of a session that is still there, a fresh JWT.
    private func end(_ login: LoginRecord, _ outcome: LoginRecord.Outcome) throws -> LoginEnd {
        switch outcome {
        case .failed(let code): return .failed(code: code, returnTo: login.returnTo)
        case .connected(_, let sessionID):
            // Logged out since: an old callback does not log in again.
            guard let session = try records.read({ try $0.session(sessionID) }) else {
                return .failed(code: "restart-login", returnTo: login.returnTo)
            }
            return .connected(
                IssuedSession(record: session, token: try token(for: session)), returnTo: login.returnTo)
        }
    }

    // MARK: The one flight of a login

    /// Consumes the state, redeems the code, stores what came of it; the login as it is then.
    private func finish(_ state: String, _ callback: Callback) async throws -> LoginRecord {
        let login = try await claim(state, callback)
        if case .finished = login.progress { return login }
        let ending: LoginRecord.Outcome
        do {
            let engine = try await engine(for: login)
            let isRequired = engine.platform.provider.description.requiresIssuerParameter
            switch callback.read(issuer: login.issuer, issuerIsRequired: isRequired) {
            case .failed(let code): throw LoginFailure(code: code)
            case .code(let code):
                let harvest = try await exchange(code, for: login, engine)
                ending = try await plant(harvest, login, callback)
            }
        } catch let failure as LoginFailure {
            ending = try await close(login, callback, .failed(code: failure.code))
        } catch {
            // The tokens could not be stored: the code is spent, so the login must begin again. It stays
            // marked as under way, and a repeated callback ends it.
            let code = (error as? VaultError)?.code.name ?? "internal"
            logger.error("login.unsaved", metadata: facts(login.user, login.platform, ["code": "\(code)"]))
            ending = .failed(code: "retry")
        }
        var finished = login
        finished.progress = .finished(callback: callback.hash, ending)
        report(finished, ending)
        return finished
    }

    /// Marks the login as under way, durably, before its code goes anywhere: a state is used once.
    private func claim(_ state: String, _ callback: Callback) async throws -> LoginRecord {
        let hash = callback.hash
        return try await records.write(for: .saving) { transaction in
            guard var login = try transaction.login(state) else { throw Self.foreignCallback }
            switch login.progress {
            case .pending:
                login.progress = .redeeming(callback: hash)
            case .redeeming(let earlier):
                guard Digest.equal(earlier, hash) else { throw Self.foreignCallback }
                // A process died here. Whether the code was spent is not known, and it is not sent twice.
                login.progress = .finished(callback: hash, .failed(code: "restart-login"))
            case .finished:
                return login
            }
            try transaction.put(login)
            return login
        }
    }

    private func close(
        _ login: LoginRecord, _ callback: Callback, _ outcome: LoginRecord.Outcome
    ) async throws -> LoginRecord.Outcome {
        let finished = login.finished(callback, outcome)
        try await records.write(for: .saving) { try $0.put(finished) }
        return outcome
    }

    private func report(_ login: LoginRecord, _ outcome: LoginRecord.Outcome) {
        switch outcome {
        case .connected(let user, _):
            observation.login(login.platform, "connected")
            logger.info("login.connected", metadata: facts(user, login.platform))
        case .failed(let code):
            observation.login(login.platform, code)
            logger.notice("login.failed", metadata: facts(login.user, login.platform, ["code": "\(code)"]))
        }
    }
}

/// Why a login failed, in the frontend's words.
struct LoginFailure: Error, Equatable {
    var code: String
}

extension LoginRecord {
    /// The same login, over: what it was to be redeemed with is wiped.
    func finished(_ callback: Callback, _ outcome: Outcome) -> LoginRecord {
        var login = self
        login.verifier = nil
        login.nonce = nil
        login.progress = .finished(callback: callback.hash, outcome)
        return login
    }
}
