public import VaultBase

extension FlowEngine {
    /// How long an access token is believed to live at the most: ten years, in seconds.
    static let longestLifetime: Int64 = 10 * 365 * 86400
    /// What an unusable `expires_in` (0, negative, words) becomes: short enough to be harmless, long enough that a
    /// frontend which asks all the time does not redeem all the time.
    static let doubtfulLifetime: Int64 = 300
    /// The longest token that is kept, in bytes.
    static let tokenLimit = 16384

    /// Reads the answer of the token endpoint (RFC 6749 §5.1).
    ///
    /// A 2xx with an `error`, or without the access token, is a failure. Members nobody asked for are ignored.
    public func readTokens(
        _ answer: ProviderAnswer, stage: Stage, now: Timestamp
    ) async throws(ProviderFailure) -> TokenGrant {
        let answer = try await parsed(answer, stage, now: now)
        let body = AnswerBody(answer)
        let paths = description.response
        guard (200..<300).contains(answer.status), !body.hasError, let token = body.at(paths.accessToken)?.text else {
            throw classify(answer, stage, now: now)
        }
        let refresh = body.at(paths.refreshToken)?.text
        guard Self.isToken(token), refresh.map(Self.isToken) ?? true else {
            throw ProviderFailure(failure: .operatorAction, code: "unusable-token", status: answer.status)
        }
        // A token whose use we do not know must not be used (RFC 6749 §7.1).
        if let type = body.at(["token_type"])?.text, !accepts(type) {
            throw ProviderFailure(failure: .operatorAction, code: "token-type", status: answer.status)
        }
        var grant = TokenGrant(
            accessToken: Secret(token), refreshToken: refresh.map { Secret($0) }, tokenType: scheme,
            scope: scope(body.at(paths.scope)), expiresIn: lifetime(body), idToken: body.at(paths.idToken)?.text,
            refreshExpiresIn: body.at(["refresh_token_expires_in"]).flatMap(Self.seconds).flatMap { $0 > 0 ? $0 : nil })
        if case .tokenResponse(let path) = description.accountID { grant.subject = body.at(path)?.text }
        return grant
    }

    /// A token travels in headers and forms: visible ASCII, as RFC 6750 §2.1 has it, and no more than fits a record.
    static func isToken(_ token: String) -> Bool {
        token.utf8.count <= tokenLimit && token.utf8.allSatisfy { (0x21...0x7E).contains($0) }
    }

    /// What the provider's API wants before a token.
    var scheme: String {
        guard case .header(_, let prefix) = description.apiAuthentication else { return "Bearer" }
        let scheme = prefix.split(separator: " ").joined(separator: " ")
        return scheme.isEmpty ? "Bearer" : scheme
    }

    /// `Bearer` in any case (RFC 6749 §5.1), or the scheme of this provider's API.
    private func accepts(_ type: String) -> Bool {
        type.lowercased() == "bearer" || type.lowercased() == scheme.lowercased()
    }

    /// One text with spaces, from a text with spaces or commas or an array; nil when the answer does not say.
    private func scope(_ value: JSONValue?) -> String? {
        let words: [String]
        switch value {
        case .string(let text): words = text.split { " ,\t\n".contains($0) }.map(String.init)
        case .array(let values): words = values.compactMap { if case .string(let word) = $0 { word } else { nil } }
        default: return nil
        }
        // An empty scope next to scopes we asked for says nothing (SoundCloud always sends one).
        return words.isEmpty ? nil : String(words.joined(separator: " ").prefix(4096))
    }

    private func lifetime(_ body: AnswerBody) -> Int64? {
        let rules = description.response
        if rules.neverExpires { return nil }
        for alias in rules.expiresIn {
            guard let value = body.at(alias.split(separator: ".").map(String.init)), value != .null,
                value != .string("")
            else { continue }
            let seconds = Self.seconds(value)
            if seconds == 0, rules.zeroMeansNever { return nil }
            if let seconds, seconds > 0 { return seconds }
            return rules.defaultLifetime ?? Self.doubtfulLifetime
        }
        return rules.defaultLifetime
    }

    /// Seconds from a number or a numeric text, clamped; nil for anything else.
    private static func seconds(_ value: JSONValue) -> Int64? {
        let text: String
        switch value {
        case .number(let digits): text = digits
        case .string(let word): text = word
        default: return nil
        }
        // Double reads "nan", "inf" and hexadecimal too: those are no lifetimes.
        guard !text.isEmpty, text.utf8.count <= 400,
            text.utf8.allSatisfy({ (0x30...0x39).contains($0) || "+-.eE".utf8.contains($0) }), let number = Double(text)
        else { return nil }
        return Int64(min(max(number, -1), Double(longestLifetime)))
    }
}
