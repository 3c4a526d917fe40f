package import VaultBase

extension FlowEngine {
    /// What a failed answer asks for. The description's rules come first, then what the status says by itself, then
    /// the OAuth code (RFC 6749 §5.2), then the shape of the answer.
    func classify(_ answer: ProviderAnswer, _ stage: Stage, now: Timestamp?) -> ProviderFailure {
        let body = AnswerBody(answer)
        let status = answer.status
        func failure(_ class: FailureClass, _ code: String) -> ProviderFailure {
            // Nobody consented to the client's own tokens, so nobody can consent again.
            let isOurs = description.flow == .clientCredentials && (`class` == .reconnect || `class` == .restartLogin)
            return ProviderFailure(
                failure: isOurs ? .operatorAction : `class`, code: Self.safe(code) ?? "http-\(status)", status: status,
                retryAfter: `class` == .retry ? Self.retryAfter(answer, now: now) : nil)
        }

        let temporary = status == 408 || status == 425 || status == 429 || status >= 500
        for rule in description.errorRules where rule.status == status || (rule.status == nil && !temporary) {
            let whole = rule.path.isEmpty
            guard
                let text = whole ? String(decoding: answer.body.prefix(4096), as: UTF8.self) : body.at(rule.path)?.text
            else { continue }
            let matches =
                switch rule.match {
                case .equals(let wanted): text == wanted
                case .contains(let wanted): text.contains(wanted)
                }
            if matches { return failure(rule.failure, body.errorCode ?? "http-\(status)") }
        }

        // An outage says nothing about the grant, whatever its body claims.
        if temporary { return failure(.retry, "http-\(status)") }
        // Asked whether a token holds: 401 is the answer no.
        if stage == .validate, status == 401 { return failure(.reconnect, body.errorCode ?? "http-401") }

        if let code = body.errorCode, let known = Self.known(code, stage) { return failure(known, code) }
        switch body {
        case .object:
            let code = body.errorCode ?? (status < 300 ? "no-access-token" : "http-\(status)")
            // Only logins read a profile: a token that is refused right after it was issued is a failed login.
            if stage == .profile, status == 401 { return failure(.restartLogin, code) }
            return failure(.operatorAction, code)
        case .empty:
            if status == 400, stage == .refresh {
                // Some servers (glewlwyd) answer a dead refresh token with 400 and nothing else. Taking that for a
                // dead grant is safe enough: a 400 is the token endpoint's own "no" (an outage is 5xx, a filter in
                // front sends a page, a truncated answer never gets here), our request is the one that worked
                // before but for the token, and wrong client credentials are a 401. If it is wrong all the same,
                // the user consents once too often; a retry would instead hammer a dead grant for ever.
                return failure(.reconnect, "http-400")
            }
            // A filter in front of the platform says so as well with a page as without one.
            if status == 403 { return failure(.retry, "http-403") }
            if stage == .exchange, status == 400 { return failure(.restartLogin, "http-400") }
            if stage == .profile, status == 401 { return failure(.restartLogin, "http-401") }
            return failure(status < 300 ? .retry : .operatorAction, status < 300 ? "undecodable" : "http-\(status)")
        case .undecodable:
            // A page instead of an answer: a filter, a maintenance notice, a proxy. The grant is kept.
            if (300..<400).contains(status) || status == 404 || status == 405 || status == 410 {
                return failure(.operatorAction, "http-\(status)")
            }
            return failure(.retry, "undecodable")
        }
    }

    /// The codes of RFC 6749 §5.2, OpenID Connect and the platforms; nil for one that nobody documented.
    private static func known(_ code: String, _ stage: Stage) -> FailureClass? {
        switch code {
        case "invalid_grant", "invalid_code", "bad_verification_code", "expired_code", "code_expired", "access_denied":
            return stage == .refresh ? .reconnect : stage == .revoke ? .operatorAction : .restartLogin
        case "bad_refresh_token", "invalid_refresh_token", "expired_token", "token_expired", "token_revoked",
            "admin_policy_enforced", "login_required", "interaction_required", "consent_required",
            "account_selection_required":
            return stage == .refresh ? .reconnect : stage == .revoke ? .operatorAction : .restartLogin
        case "invalid_token":
            return stage == .refresh ? .reconnect : stage == .revoke ? .operatorAction : .restartLogin
        case "temporarily_unavailable", "server_error", "ServerError", "internal_error", "internal_server_error",
            "slow_down", "rate_limit_exceeded", "rate_limited", "too_many_requests":
            return .retry
        case "invalid_client", "unauthorized_client", "unsupported_grant_type", "invalid_scope", "invalid_request",
            "redirect_uri_mismatch", "incorrect_client_credentials", "deleted_client", "org_internal",
            "unsupported_token_type":
            return .operatorAction
        default: return nil
        }
    }

    /// At most 64 characters that are safe in a log, a metric's label and a redirect; nil for what does not read like
    /// a code, words and small numbers: some servers repeat there what they were sent, tokens included.
    static func safe(_ code: String) -> String? {
        let kept = code.unicodeScalars.lazy.map { $0 == " " ? "_" : $0 }.filter {
            $0.isASCII
                && ($0.properties.isAlphabetic || (0x30...0x39).contains($0.value) || "_-.".unicodeScalars.contains($0))
        }.prefix(64)
        var out = ""
        out.unicodeScalars.append(contentsOf: kept)
        let words = out.utf8.split { "_-.".utf8.contains($0) }
        let reads = words.allSatisfy { word in
            let letters = word.prefix { $0 > 0x39 }
            let digits = word[letters.endIndex...]
            return letters.count <= 24 && digits.count <= 6 && digits.allSatisfy { $0 <= 0x39 }
        }
        return reads && !words.isEmpty ? out : nil
    }

    /// `Retry-After` in seconds or as a date (RFC 9110 §10.2.3), at most a day. A date is measured from the answer's
    /// own `Date` where it has one: the provider's clock against itself.
    static func retryAfter(_ answer: ProviderAnswer, now: Timestamp?) -> Duration? {
        guard let text = answer.header("Retry-After")?.split(separator: " ").joined(separator: " "), !text.isEmpty
        else { return nil }
        let day: Int64 = 86400
        if text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
            return .seconds(min(Int64(text) ?? day, day))
        }
        guard let date = HTTPDate.parse(text),
            let start = answer.header("Date").flatMap(HTTPDate.parse) ?? now
        else { return nil }
        return .seconds(min(max(date.seconds - start.seconds, 0), day))
    }
}

extension ProviderAnswer {
    /// How long the answer asks to wait, at most a day; nil when it does not say.
    package func retryAfter(now: Timestamp) -> Duration? { FlowEngine.retryAfter(self, now: now) }
}

/// The three forms of RFC 9110 §5.6.7.
enum HTTPDate {
    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    static func parse(_ text: String) -> Timestamp? {
        var words = text.split { $0 == " " || $0 == "," || $0 == "-" }
        guard words.count >= 5 else { return nil }
        words.removeFirst()
        // Sun Nov  6 08:49:37 1994 has the month first and the year last.
        if let month = months.firstIndex(of: String(words[0])), words.count >= 4 {
            return moment(year: words[3], month: month + 1, day: words[1], time: words[2])
        }
        guard let month = months.firstIndex(of: String(words[1])), words.count >= 4 else { return nil }
        return moment(year: words[2], month: month + 1, day: words[0], time: words[3])
    }

    private static func moment(year: Substring, month: Int, day: Substring, time: Substring) -> Timestamp? {
        let clock = time.split(separator: ":", omittingEmptySubsequences: false).map { Int64($0) }
        guard var year = Int64(year), let day = Int64(day), clock.count == 3, let hour = clock[0],
            let minute = clock[1],
            let second = clock[2], (1...31).contains(day), (0...23).contains(hour), (0...59).contains(minute),
            (0...60).contains(second), (0...9999).contains(year)
        else { return nil }
        if year < 100 { year += year < 70 ? 2000 : 1900 }
        // Days from the civil calendar, counted in years that begin in March.
        let shifted = month <= 2 ? year - 1 : year
        let era = shifted / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * Int64((month + 9) % 12) + 2) / 5 + day - 1
        let days = era * 146097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719468
        return Timestamp(seconds: days * 86400 + hour * 3600 + minute * 60 + second)
    }
}
