import Synchronization
import VaultBase
import VaultProviders
import VaultRecords

@testable import Vault

/// A webhook receiver in memory: keeps what it was told, and a script of misbehaviour.
final class Receiver: WebhookTransport {
    struct Told: Sendable, Equatable {
        var webhook: String
        var id: String
        var type: String
        var user: String
        var body: String
        var signature: String
        var timestamp: String
    }

    private struct State {
        var told: [Told] = []
        var script: [Result<ProviderAnswer, ProviderFailure>] = []
        var always: Result<ProviderAnswer, ProviderFailure> = .success(
            ProviderAnswer(status: 204, headers: [], body: []))
        var gate: Gate?
    }
    private let state = Mutex(State())

    /// Everything that came, refused or not.
    var told: [Told] { state.withLock { $0.told } }
    var types: [String] { told.map(\.type) }

    func answer(_ status: Int, _ headers: [(name: String, value: String)] = []) {
        state.withLock { $0.script.append(.success(ProviderAnswer(status: status, headers: headers, body: []))) }
    }
    func fail(_ code: String) {
        state.withLock { $0.script.append(.failure(ProviderFailure(failure: .retry, code: code))) }
    }
    func always(_ status: Int) {
        state.withLock { $0.always = .success(ProviderAnswer(status: status, headers: [], body: [])) }
    }
    func wait(_ gate: Gate?) { state.withLock { $0.gate = gate } }

    func post(
        _ request: ProviderRequest, to webhook: Webhook, timeout: Duration
    ) async throws(ProviderFailure) -> ProviderAnswer {
        func header(_ name: String) -> String { request.headers.first { $0.name == name }?.value ?? "" }
        let body = String(decoding: request.body, as: UTF8.self)
        let told = Told(
            webhook: webhook.name, id: header("webhook-id"), type: Self.member("type", body),
            user: Self.member("user", body), body: body, signature: header("webhook-signature"),
            timestamp: header("webhook-timestamp"))
        let (answer, gate) = state.withLock { state in
            state.told.append(told)
            return (state.script.isEmpty ? state.always : state.script.removeFirst(), state.gate)
        }
        await gate?.pass()
        return try answer.get()
    }

    private static func member(_ name: String, _ body: String) -> String {
        let parts = body.split(separator: "\"\(name)\":\"", maxSplits: 1)
        return parts.count == 2 ? String(parts[1].prefix { $0 != "\"" }) : ""
    }

    static let secret = Secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")

    static func webhook(_ name: String = "backend", _ kinds: [String] = []) -> Webhook {
        do {
            return try Webhook(
                name: name, url: "https://\(name).example/hook", secret: secret, kinds: kinds,
                allowsPrivateNetwork: false)
        } catch { preconditionFailure("\(error)") }
    }
}

extension World {
    /// All events there are, by name.
    func events() throws -> [EventRecord] { try records.read { try $0.events(limit: .max) } }
    var happened: [String] { get throws { try events().map(\.kind.name) } }

    /// Everything that can be told now is told.
    func tellAll(_ vault: Vault? = nil) async throws {
        let outbox = (vault ?? self.vault).outbox
        try await outbox.handOut()
        for courier in outbox.couriers { _ = try await courier.round() }
    }
}
