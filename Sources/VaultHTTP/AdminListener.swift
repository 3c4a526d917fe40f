public import Logging
public import ServiceLifecycle
public import Vault
public import VaultBase

/// The operator's listener: `/metrics`, `/healthz`, `/readyz`.
public struct AdminListener: Service {
    /// - Parameter metrics: renders the Prometheus text.
    public init(
        vault: Vault, host: String, port: Int, metrics: @escaping @Sendable () async -> String, logger: Logger,
        bound: @escaping @Sendable (Int) async -> Void = { _ in }
    ) { fatalError("stub") }

    public func run() async throws { fatalError("stub") }
}
