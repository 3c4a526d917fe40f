import VaultBase
public import VaultProviders

/// Carries requests to providers. The real one verifies TLS, follows no redirect, caps size and time and
/// connects only to the hosts it is given.
public protocol Transport: Sendable {
    /// - Throws: class `retry` for DNS, connection, TLS and time-outs; `operator` for a refused host. The code
    ///   is one of ``ProviderFailure/unsent`` only when no byte of the request can have reached the provider.
    func send(_ request: ProviderRequest, for platform: Platform, timeout: Duration) async throws(ProviderFailure)
        -> ProviderAnswer
}

extension ProviderFailure {
    /// The codes of failures before anything was sent: what a refresh token was to be redeemed with is
    /// certainly unspent.
    public static let unsent: Set<String> = [
        "dns-failed", "connect-failed", "connect-timeout", "tls-failed", "host-refused", "address-refused",
    ]

    /// Whether the provider may have acted on the request although we do not know its answer: nothing came
    /// back, or a success that cannot be read.
    var leavesDoubt: Bool {
        guard let status else { return !Self.unsent.contains(code) && failure == .retry }
        return (200..<300).contains(status) && failure == .retry
    }
}
