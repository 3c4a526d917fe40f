import HTTPTypes
import Synchronization
import Vault
import VaultBase

extension House {
    static let everyAction = ["read-connections", "read-token", "write", "delete", "end-sessions"]

    /// A house where ada is connected at acme, and a key.
    static func withKey(
        _ actions: [String] = everyAction, platforms: [String] = [], lifetime: Int64? = 3600
    ) async throws -> (House, key: String, user: String) {
        let house = try await House()
        let wish = ServiceWish(name: "job", actions: actions, platforms: platforms, lifetime: lifetime)
        let key = try await house.vault.createServiceKey(wish).token.reveal()
        let user = Captured()
        try await house.visit { browser async throws in
            let session = try await browser.session()
            let me = try await browser.send(.get, "/auth/session", session: session)
            user.set(try me.json["user"]?.string ?? "")
        }
        return (house, key, user.value)
    }

    /// Another key, for everything and for ever.
    func serviceKey(_ name: String = "again") async throws -> String {
        try await vault.createServiceKey(
            ServiceWish(name: name, actions: Self.everyAction, platforms: [], lifetime: nil)
        ).token.reveal()
    }
}

/// A text that leaves a closure.
private final class Captured: Sendable {
    private let text = Mutex("")
    var value: String { text.withLock { $0 } }
    func set(_ value: String) { text.withLock { $0 = value } }
}
