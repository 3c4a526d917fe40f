public import VaultBase
public import VaultProviders

/// Carries requests to providers. The real one verifies TLS, follows no redirect, caps size and time and
/// connects only to the hosts it is given.
public protocol Transport: Sendable {
    /// - Throws: class `retry` for DNS, connection, TLS and time-outs; `operator` for a refused host.
    func send(_ request: ProviderRequest, for platform: Platform, timeout: Duration) async throws(ProviderFailure)
        -> ProviderAnswer
}
