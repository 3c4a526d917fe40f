import VaultBase
import VaultCrypto
import VaultProviders

/// What a provider sent back through the browser: untrusted, and read without mercy.
struct Callback: Sendable {
    /// The most bytes all names and values together may have.
    static let sizeLimit = 16 * 1024
    /// The most parameters.
    static let countLimit = 32

    /// The parameters as they came, by hash: what "the same callback" means.
    let hash: [UInt8]
    private let values: [String: String]
    private let isRepeated: Bool
    private let description: ProviderDescription

    /// nil when it is too large to be a callback.
    init?(_ parameters: [(name: String, value: String)], _ description: ProviderDescription) {
        let size = parameters.reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count }
        guard size <= Self.sizeLimit, parameters.count <= Self.countLimit else { return nil }
        var bytes: [UInt8] = []
        for (name, value) in parameters {
            for part in [name, value] {
                bytes += withUnsafeBytes(of: UInt32(part.utf8.count).bigEndian, Array.init)
                bytes += part.utf8
            }
        }
        hash = Digest.blake2b(bytes)
        values = Dictionary(parameters.map { ($0.name, $0.value) }) { first, _ in first }
        isRepeated = values.count != parameters.count
        self.description = description
    }

    /// The state, when there is exactly one.
    static func state(
        in parameters: [(name: String, value: String)], _ description: ProviderDescription
    ) -> String? {
        // Where the redirect URI carries the state, it comes back under the name we gave it there.
        let wire = description.stateCarrier == .parameter ? name("state", description) : "state"
        let states = parameters.filter { $0.name == wire }
        guard states.count == 1, let state = states.first?.value, (22...128).contains(state.utf8.count) else {
            return nil
        }
        return state
    }

    /// The code, or the frontend's code for why there is none.
    enum Reading: Equatable {
        case code(String)
        case failed(String)
    }

    /// Reads the callback of a login that expects `issuer`; `issuerIsRequired` by the provider as it is known now.
    func read(issuer: String, issuerIsRequired: Bool) -> Reading {
        // RFC 6749 §3.1: parameters must not be repeated. Both code and error: an attack or nonsense.
        guard !isRepeated else { return .failed("restart-login") }
        // RFC 9207 §2.4, for refusals too: simple string comparison.
        if let sent = values["iss"] {
            guard sent == issuer else { return .failed("restart-login") }
        } else if issuerIsRequired {
            return .failed("restart-login")
        }
        let code = values[Self.name("code", description)]
        switch (code, values["error"]) {
        case (let code?, nil) where !code.isEmpty: return .code(code)
        case (nil, let error?): return .failed(Self.outcome(of: error))
        default: return .failed("restart-login")
        }
    }

    /// RFC 6749 §4.1.2.1 and OIDC Core §3.1.2.6, in the words the frontend gets. The provider's own text
    /// stops here.
    static func outcome(of error: String) -> String {
        switch error {
        case "access_denied", "consent_required", "user_cancelled_login", "user_cancelled_authorize": "access_denied"
        case "temporarily_unavailable", "server_error": "retry"
        case "invalid_request", "unauthorized_client", "unsupported_response_type", "invalid_scope", "invalid_client",
            "redirect_uri_mismatch":
            "operator"
        default: "restart-login"
        }
    }

    private static func name(_ logical: String, _ description: ProviderDescription) -> String {
        let name = description.names["callback.\(logical)"] ?? description.names[logical] ?? logical
        return name.isEmpty ? logical : name
    }
}
