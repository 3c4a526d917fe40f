import Logging
public import VaultBase
import VaultCrypto
import VaultProviders
import VaultRecords

extension Vault {
    /// Begins a login: remembers it, bound to the browser by `binding`, and says where to send the browser.
    ///
    /// - Parameters:
    ///   - user: the user to link the platform to, when a session asked; nil makes or finds one.
    ///   - returnTo: must be one of ``VaultOptions/returnTo``.
    ///   - scopes: nil for the platform's own; otherwise some of those the platform's settings or its
    ///     provider name.
    ///   - binding: the browser's binding cookie from an earlier login, when it has one; it is kept, so
    ///     that two logins in two tabs both work.
    /// - Throws: `no-platform`, `platform-unavailable`, `bad-request`, `rate-limited` when
    ///   ``VaultOptions/loginLimit`` are under way, and the store's errors.
    public func beginLogin(
        at platform: PlatformName, linking user: UserID?, returnTo: String?, scopes: [String]?, binding: Secret?
    ) async throws -> LoginStart {
        let returnTo = try ReturnTo(allowed: options.returnTo).check(returnTo)
        let engine = try await provider.engine(for: platform)
        let (configured, description) = (engine.platform, engine.platform.provider.description)
        guard description.flow != .clientCredentials else {
            throw VaultError(
                .badRequest, "nobody logs in at \(platform): its tokens are this application's own",
                hint: "the operator connects a user to it with: vault refresh USER \(platform)")
        }
        let asked = try Self.scopes(scopes, of: configured)

        let state = Random.token()
        var (url, verifier, nonce): (String, Secret?, String?) = ("", nil, nil)
        var handover: Handover?
        if description.flow == .browserToken {
            handover = Handover(state: state, clientToken: try engine.clientToken())
        } else {
            verifier = description.pkce == .unsupported ? nil : Secret(Random.token())
            let challenge = verifier.map { $0.withBytes { Base64.encodeURL(Digest.sha256(Array($0))) } }
            nonce = Self.usesIDToken(description, asked) ? Random.token(bytes: 16) : nil
            url = try await engine.authorizationURL(
                state: state, challenge: challenge, nonce: nonce, scopes: asked)
        }

        let now = records.now
        // A cookie we could not have set is not kept.
        let binding = binding.flatMap { $0.count == 43 ? $0 : nil } ?? Secret(Random.token())
        let login = LoginRecord(
            state: state, platform: platform, binding: Self.hash(binding), verifier: verifier, nonce: nonce,
            issuer: description.issuer, tokenEndpoint: description.endpoints.token, clientID: configured.clientID,
            redirectURI: configured.redirectURI, user: user, scope: asked.joined(separator: " "),
            returnTo: returnTo, createdAt: now, endsAt: now + options.loginLifetime)
        let (limit, patience) = (options.loginLimit, options.sweepInterval)
        try await records.write { transaction in
            guard transaction.loginCount < limit else { throw Self.tooManyLogins(limit, patience) }
            try transaction.put(login)
        }
        observation.login(platform, "begun")
        logger.info("login.begun", metadata: facts(user, platform, ["linking": "\(user != nil)"]))
        return LoginStart(
            authorizationURL: url, handover: handover, expiresAt: records.outside(login.endsAt), binding: binding)
    }

    private static func tooManyLogins(_ limit: Int, _ patience: Duration) -> VaultError {
        VaultError(
            .rateLimited, "\(limit) logins are under way", hint: "try again when some of them are over",
            retryAfter: max(patience, .seconds(1)))
    }

    static func hash(_ binding: Secret) -> [UInt8] { binding.withBytes { Digest.blake2b(Array($0)) } }

    private static func usesIDToken(_ description: ProviderDescription, _ scopes: [String]) -> Bool {
        description.accountID == .idTokenSubject || description.discovery == .oidc || scopes.contains("openid")
    }

    /// A frontend may ask for less than the platform's scopes, or for others its provider names; whoever can
    /// start a login cannot widen what the operator chose.
    private static func scopes(_ asked: [String]?, of platform: Platform) throws(VaultError) -> [String] {
        let usual = platform.scopes ?? platform.provider.description.scopes
        guard let asked else { return usual }
        let known = Set(usual + platform.provider.description.scopes)
        if let foreign = asked.first(where: { !known.contains($0) }) {
            // RFC 6749 §3.3: anything but these characters is no scope, and not for repeating either.
            let name = foreign.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F } ? " \(foreign.prefix(64))" : ""
            throw VaultError(
                .badRequest, "the scope\(name) is not one of \(platform.name)",
                hint: "add it to scopes in [platforms.\(platform.name)] of vault.conf")
        }
        return asked
    }
}
