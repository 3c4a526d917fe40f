import Metrics
import Synchronization

/// Counts a listener's connections and refuses what is too many, all together or from one address.
final class Connections: Sendable {
    enum Refusal: String, CaseIterable { case full, address }
    /// For what a connection was ended before its time.
    enum Slowness: String, CaseIterable { case handshake, head, body, answer }

    private struct Open {
        var all = 0
        /// No longer than `all`: an address without connections is not in it.
        var byAddress: [IPAddress: Int] = [:]
    }

    private let limit: Int
    private let limitPerAddress: Int
    private let isExempt: @Sendable (IPAddress) -> Bool
    private let open = Mutex(Open())
    private let gauge: Meter
    private let refused: [Refusal: Counter]
    private let slow: [Slowness: Counter]

    /// - Parameter isExempt: whether an address stands for many clients.
    init(
        _ limits: ListenerLimits, metrics: any MetricsFactory, isExempt: @escaping @Sendable (IPAddress) -> Bool
    ) {
        limit = limits.connections
        limitPerAddress = limits.connectionsPerAddress
        self.isExempt = isExempt
        gauge = Meter(label: "vault_http_connections", factory: metrics)
        refused = Self.counters("vault_http_connections_refused", metrics)
        slow = Self.counters("vault_http_connections_slow", metrics)
    }

    private static func counters<Reason: CaseIterable & RawRepresentable<String> & Hashable>(
        _ label: String, _ metrics: any MetricsFactory
    ) -> [Reason: Counter] {
        Dictionary(
            uniqueKeysWithValues: Reason.allCases.map {
                ($0, Counter(label: label, dimensions: [("reason", $0.rawValue)], factory: metrics))
            })
    }

    /// Lets one in, who calls ``leave(_:)`` at its end, or says why not.
    func enter(_ address: IPAddress?) -> Refusal? {
        let counted = counted(address)
        let refusal: Refusal? = open.withLock { open in
            guard open.all < limit else { return .full }
            if let counted {
                guard open.byAddress[counted, default: 0] < limitPerAddress else { return .address }
                open.byAddress[counted, default: 0] += 1
            }
            open.all += 1
            return nil
        }
        if let refusal { refused[refusal]?.increment() } else { gauge.increment() }
        return refusal
    }

    func leave(_ address: IPAddress?) {
        let counted = counted(address)
        open.withLock { open in
            open.all -= 1
            guard let counted, let there = open.byAddress[counted] else { return }
            open.byAddress[counted] = there > 1 ? there - 1 : nil
        }
        gauge.decrement()
    }

    func ended(_ slowness: Slowness) { slow[slowness]?.increment() }

    /// Whether so many are open that who does nothing should leave.
    var isCrowded: Bool { open.withLock { $0.all > limit - limit / 4 } }

    private func counted(_ address: IPAddress?) -> IPAddress? {
        guard let address, !isExempt(address) else { return nil }
        return address.caller
    }
}
