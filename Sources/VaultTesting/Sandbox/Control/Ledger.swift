import VaultCrypto
import VaultBase

extension Sandbox {
    /// What was issued, redeemed and revoked, by id and never by value.
    ///
    /// A client keeps every promise about refresh tokens exactly if ``reuses`` stays 0 and each live grant's
    /// ``Grant/current`` is the one the client holds.
    public struct Ledger: Codable, Sendable, Equatable {
        /// One user's consent and everything that came of it.
        public struct Grant: Codable, Sendable, Equatable {
            public var id: String
            public var user: String
            public var client: String
            public var scope: String
            /// Milliseconds since 1970.
            public var consentedAt: Int64
            /// Why it ended; nil while it is alive.
            public var revoked: String?
            /// Successful refreshes.
            public var refreshes = 0
            /// Times a refresh token was presented again after it had been rotated.
            public var reuses = 0
            /// In the order they were issued.
            public var refreshTokens: [RefreshToken] = []

            var scopes: [String] { scope.split(separator: " ").map(String.init) }

            /// The id of the refresh token that is good now.
            public var current: String? { refreshTokens.last { $0.state == .current }?.id }
        }

        public struct RefreshToken: Codable, Sendable, Equatable {
            public enum State: String, Codable, Sendable { case current, rotated, revoked }
            public var id: String
            public var state = State.current
            /// Times it was presented, with whatever result.
            public var redemptions = 0
        }

        public var grants: [String: Grant] = [:]
        public var consents = 0
        public var codesRedeemed = 0
        public var refreshes = 0
        public var reuses = 0
        public var revocations = 0
        public var profiles = 0
        public var accessTokens = 0
        /// Requests that got a ``Misbehaviour``, by its name.
        public var faults: [String: Int] = [:]
        /// Refused token requests, by error code.
        public var refused: [String: Int] = [:]

        /// The name a token has in the ledger: the first 16 digits of its SHA-256, so that a test can find a
        /// token it holds without the ledger holding one.
        public static func id(of token: String) -> String { String(Authority.hash(token).prefix(16)) }

        /// The grants of one user, oldest first.
        public func grants(of user: String) -> [Grant] {
            grants.values.filter { $0.user == user }.sorted { ($0.consentedAt, $0.id) < ($1.consentedAt, $1.id) }
        }
    }
}
