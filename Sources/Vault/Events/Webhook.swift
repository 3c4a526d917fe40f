public import VaultBase
import VaultCrypto
public import VaultProviders
public import VaultRecords

/// A receiver of events: an address to post them to, and the secret they are signed with.
///
/// Requests follow Standard Webhooks 1.0: `webhook-id`, `webhook-timestamp`, and `webhook-signature`, which is
/// `v1,` and the base64 of HMAC-SHA-256 over id, timestamp and body with full stops between.
public struct Webhook: Sendable {
    public let name: String
    public let url: String
    /// What it wants to hear of.
    public let kinds: Set<EventRecord.Kind>
    /// Whether it may stand at a private address, in one's own network.
    public let allowsPrivateNetwork: Bool
    private let key: Secret

    /// How long a secret is, in bytes, once its base64 is read.
    public static let secretSize = 24...64

    /// - Parameters:
    ///   - secret: `whsec_` and base64.
    ///   - kinds: names of events; empty for all.
    /// - Throws: `settings`, never with the secret or the address's query.
    public init(
        name: String, url: String, secret: Secret, kinds: [String], allowsPrivateNetwork: Bool
    ) throws(VaultError) {
        guard let address = WebAddress(url), address.isSecure || address.isLoopbackLiteral else {
            throw VaultError(
                .settings, "webhooks.\(name).url is no https address",
                hint: "use https, or http to 127.0.0.1 or [::1] for a receiver on this machine")
        }
        let text = secret.reveal()
        guard text.hasPrefix("whsec_"), let bytes = Base64.decode(text.dropFirst(6)),
            Self.secretSize.contains(bytes.count)
        else {
            throw VaultError(
                .settings,
                "webhooks.\(name).secret is not whsec_ and the base64 of "
                    + "\(Self.secretSize.lowerBound) to \(Self.secretSize.upperBound) bytes",
                hint: "make one with: echo whsec_$(head -c 32 /dev/urandom | base64)")
        }
        var wanted: Set<EventRecord.Kind> = []
        for kind in kinds {
            guard let known = EventRecord.Kind.allCases.first(where: { $0.name == kind }) else {
                throw VaultError(
                    .settings, "webhooks.\(name).events: there is no event \(kind)",
                    hint: "there are " + EventRecord.Kind.allCases.map(\.name).joined(separator: ", "))
            }
            wanted.insert(known)
        }
        self.name = name
        self.url = url
        self.kinds = wanted.isEmpty ? Set(EventRecord.Kind.allCases) : wanted
        self.allowsPrivateNetwork = allowsPrivateNetwork
        key = Secret(bytes: bytes)
    }

    /// The request that tells `body`, signed now.
    func request(_ body: [UInt8], id: String, at time: Timestamp) -> ProviderRequest {
        ProviderRequest(
            method: "POST", url: url,
            headers: [
                ("Content-Type", "application/json"), ("webhook-id", id), ("webhook-timestamp", "\(time.seconds)"),
                ("webhook-signature", signature(body, id: id, at: time)),
            ], body: body)
    }

    func signature(_ body: [UInt8], id: String, at time: Timestamp) -> String {
        "v1," + Base64.encode(Digest.hmacSHA256(Array("\(id).\(time.seconds).".utf8) + body, key: key))
    }
}

/// Carries events to receivers, under the rules of ``Transport``: TLS verified, no redirect followed, size and
/// time capped, no private address unless the receiver may have one.
public protocol WebhookTransport: Sendable {
    /// - Throws: class `retry` for DNS, connection, TLS and time-outs; `operator` for a refused address.
    func post(_ request: ProviderRequest, to webhook: Webhook, timeout: Duration) async throws(ProviderFailure)
        -> ProviderAnswer
}
