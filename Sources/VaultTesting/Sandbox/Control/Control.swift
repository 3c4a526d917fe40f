import Synchronization
import VaultBase
import VaultCrypto

extension Sandbox {
    /// The sandbox from inside the process: tell it to misbehave, read its ledger, make grants without pages.
    ///
    /// What `/control`, `/grants` and `/ledger` do over HTTP. Safe to call from anywhere.
    public final class Control: Sendable {
        private let authority: Mutex<Authority>
        private let address: Mutex<String>
        private let defaultLifetime: Duration
        let clock: any WallClock

        init(options: Options) {
            let first = Client(
                id: options.clientID, secret: options.clientSecret, name: options.clientName,
                redirectURIs: options.redirectURIs)
            authority = Mutex(
                Authority(
                    clients: [first] + options.clients, accessTokenLifetime: options.accessTokenLifetime,
                    codeLifetime: options.codeLifetime))
            address = Mutex(options.issuer ?? "http://127.0.0.1:\(options.port)")
            defaultLifetime = options.accessTokenLifetime
            clock = options.clock
        }

        /// Where it is: the `issuer`, and what every endpoint begins with. Right once it listens.
        public internal(set) var issuer: String {
            get { address.withLock { $0 } }
            set { address.withLock { $0 = newValue } }
        }

        /// Everything issued, redeemed and revoked until now.
        public var ledger: Ledger { withAuthority { $0.ledger } }

        /// The misbehaviours that are on, with the times they have left.
        public var misbehaviours: [Misbehaviour] { withAuthority { $0.misbehaviours } }

        /// The requests at the token endpoint that it is still busy with. A slow one goes on, and redeems, also
        /// when its client has died.
        public var redeeming: Int { withAuthority { $0.redeeming } }

        /// Turns one on, beside those that are.
        public func misbehave(_ misbehaviour: Misbehaviour) { withAuthority { $0.misbehaviours.append(misbehaviour) } }

        /// Good again: no misbehaviour, no automatic consent, the lifetime of the options. The ledger stays.
        public func reset() {
            withAuthority {
                $0.misbehaviours = []
                $0.autoApprove = nil
                $0.accessTokenLifetime = defaultLifetime
            }
        }

        /// How long the access tokens issued from now on live.
        public var accessTokenLifetime: Duration {
            get { withAuthority { $0.accessTokenLifetime } }
            set { withAuthority { $0.accessTokenLifetime = newValue } }
        }

        /// The user who consents to everything without a page; nil shows the pages.
        public var autoApprove: String? {
            get { withAuthority { $0.autoApprove } }
            set { withAuthority { $0.autoApprove = newValue } }
        }

        /// Ends a grant, as its user does in the account settings.
        public func revoke(grant id: String) { withAuthority { $0.revoke(grant: id, because: "revoked by the user") } }

        /// Registers a client, or replaces the one of that id.
        public func register(_ client: Client) { withAuthority { $0.clients[client.id] = client } }

        /// A grant without pages, as a login would have given it.
        ///
        /// - Returns: the access token and the refresh token.
        public func grant(
            to user: String, client: String = "sandbox", scopes: [String] = ["profile", "music"]
        ) -> (accessToken: String, refreshToken: String) {
            withAuthority { authority in
                let request = Authority.Pending(
                    client: client, redirectURI: "", scopes: scopes, challenge: "", expiresAt: clock.now())
                let code = authority.consent(to: request, as: user, scopes: scopes, now: clock.now())
                let hash = Authority.hash(code)
                authority.codes[hash]?.used = true
                guard let id = authority.codes[hash]?.grant else { preconditionFailure("a consent makes a grant") }
                let issued = authority.issueAccessToken(for: id, scopes: scopes, lifetime: nil, now: clock.now())
                return (issued.accessToken, authority.issueRefreshToken(for: id))
            }
        }

        func withAuthority<R>(_ body: (inout Authority) throws -> sending R) rethrows -> sending R {
            try authority.withLock { try body(&$0) }
        }

        /// The misbehaviours for one request, counted down.
        ///
        /// A user named like a fault gets that fault at each refresh, so that it can be tried from the login page.
        func plan(at place: Misbehaviour.Place, user: String? = nil, scopes: [String] = []) -> Plan {
            withAuthority { authority in
                var found: [Misbehaviour] = []
                if place == .refresh, let fault = user.flatMap({ Misbehaviour.Fault(rawValue: $0) }) {
                    found.append(Misbehaviour(fault))
                }
                for index in authority.misbehaviours.indices
                where authority.misbehaviours[index].matches(place, user: user, scopes: scopes) {
                    found.append(authority.misbehaviours[index])
                    authority.misbehaviours[index].times? -= 1
                }
                authority.misbehaviours.removeAll { $0.times.map { $0 <= 0 } ?? false }
                for one in found { authority.ledger.faults[one.fault.rawValue, default: 0] += 1 }
                return Plan(found)
            }
        }
    }
}
