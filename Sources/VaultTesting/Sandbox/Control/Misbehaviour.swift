import VaultBase

extension Sandbox {
    /// One way to go wrong, where, for whom, and how often.
    ///
    /// In JSON only `fault` is needed: `{"fault":"slow","at":"refresh","user":"ada","times":3,"milliseconds":500}`.
    public struct Misbehaviour: Codable, Sendable, Equatable {
        public enum Fault: String, Codable, Sendable, CaseIterable {
            /// Answers after ``Misbehaviour/milliseconds``. Default: 2000.
            case slow
            /// Answers ``Misbehaviour/status`` (default 503) with ``Misbehaviour/error`` in its body, and does nothing.
            case status
            /// Answers 429 with `Retry-After` of ``Misbehaviour/seconds`` (default 5), and does nothing.
            case rateLimited = "rate-limited"
            /// Answers 200 with ``Misbehaviour/error`` (default `invalid_grant`) and no token, and does nothing.
            case okWithError = "ok-with-error"
            /// Answers ``Misbehaviour/status`` (default 403) with a page of HTML, and does nothing.
            case html
            /// Closes the connection without doing anything.
            case dropped
            /// Redeems, and leaves the refresh token out of the answer to a refresh; the old one stays good.
            case omitRefreshToken = "omit-refresh-token"
            /// Redeems, and gives the same refresh token again.
            case nonRotating = "non-rotating"
            /// Redeems, and gives an access token of ``Misbehaviour/seconds`` (default 5).
            case shortExpiry = "short-expiry"
            /// Redeems, and answers half of the JSON.
            case truncated
            /// Redeems, and closes the connection instead of answering.
            case lostAnswer = "lost-answer"
            /// Ends the grant at once, as a user does in the account settings: `invalid_grant`.
            case revoked
        }

        public enum Place: String, Codable, Sendable, CaseIterable {
            case authorize, code, refresh, userinfo, revoke, metadata
            /// `code` and `refresh`.
            case token
        }

        public var fault: Fault
        /// Default: `token`.
        public var at: Place
        /// Only this user. Default: everybody.
        public var user: String?
        /// Only grants with this scope. Default: all.
        public var scope: String?
        /// The next so many requests. Default: until reset.
        public var times: Int?
        public var milliseconds: Int?
        public var seconds: Int?
        public var status: Int?
        public var error: String?

        public init(
            _ fault: Fault, at place: Place = .token, user: String? = nil, scope: String? = nil, times: Int? = nil,
            milliseconds: Int? = nil, seconds: Int? = nil, status: Int? = nil, error: String? = nil
        ) {
            self.fault = fault
            at = place
            self.user = user
            self.scope = scope
            self.times = times
            self.milliseconds = milliseconds
            self.seconds = seconds
            self.status = status
            self.error = error
        }

        public init(from decoder: any Decoder) throws {
            let values = try decoder.container(keyedBy: CodingKeys.self)
            self.init(
                try values.decode(Fault.self, forKey: .fault),
                at: try values.decodeIfPresent(Place.self, forKey: .at) ?? .token,
                user: try values.decodeIfPresent(String.self, forKey: .user),
                scope: try values.decodeIfPresent(String.self, forKey: .scope),
                times: try values.decodeIfPresent(Int.self, forKey: .times),
                milliseconds: try values.decodeIfPresent(Int.self, forKey: .milliseconds),
                seconds: try values.decodeIfPresent(Int.self, forKey: .seconds),
                status: try values.decodeIfPresent(Int.self, forKey: .status),
                error: try values.decodeIfPresent(String.self, forKey: .error))
        }

        func matches(_ place: Place, user: String?, scopes: [String]) -> Bool {
            guard at == place || at == .token && (place == .code || place == .refresh) else { return false }
            return (self.user == nil || self.user == user) && (scope == nil || scopes.contains(scope ?? ""))
        }
    }
}

/// The misbehaviours that one request got, put together.
struct Plan {
    /// An answer instead of doing anything.
    enum Refusal { case status(Int, String?), rateLimited(Int), okWithError(String), html(Int), dropped }

    var delay: Duration = .zero
    var refusal: Refusal?
    var rotation = Authority.Rotation.rotate
    var lifetime: Duration?
    var truncated = false
    var lost = false
    var revokes = false

    init(_ misbehaviours: [Sandbox.Misbehaviour]) {
        for one in misbehaviours {
            switch one.fault {
            case .slow: delay += .milliseconds(one.milliseconds ?? 2000)
            case .status: refusal = .status(one.status ?? 503, one.error)
            case .rateLimited: refusal = .rateLimited(one.seconds ?? 5)
            case .okWithError: refusal = .okWithError(one.error ?? "invalid_grant")
            case .html: refusal = .html(one.status ?? 403)
            case .dropped: refusal = .dropped
            case .omitRefreshToken: rotation = .omit
            case .nonRotating: rotation = .keep
            case .shortExpiry: lifetime = .seconds(one.seconds ?? 5)
            case .truncated: truncated = true
            case .lostAnswer: lost = true
            case .revoked: revokes = true
            }
        }
    }
}
