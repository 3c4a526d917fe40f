import VaultBase
import VaultProviders

/// A plain provider, and one platform of it, for tests to bend.
enum Fixture {
    static let now = Timestamp(seconds: 1_800_000_000)

    static func description(_ change: (inout ProviderDescription) -> Void = { _ in }) -> ProviderDescription {
        var description = ProviderDescription(id: "acme", displayName: "Acme", issuer: "https://acme.example")
        description.endpoints.authorize = "https://acme.example/authorize"
        description.endpoints.token = "https://acme.example/token"
        description.endpoints.profile = "https://acme.example/me"
        description.endpoints.revoke = "https://acme.example/revoke"
        description.scopes = ["profile", "music"]
        change(&description)
        return description
    }

    static func platform(
        secret: String? = "s3cret", redirectURI: String = "https://app.example/auth/acme/callback",
        parameters: [String: String] = [:], insecureLoopback: Bool = false, hooks: (any ProviderHooks)? = nil,
        _ change: (inout ProviderDescription) -> Void = { _ in }
    ) -> Platform {
        // The name is a constant of the right form.
        let name = try? PlatformName("acme")
        return Platform(
            name: name!, provider: Provider(description: description(change), hooks: hooks), clientID: "client",
            clientSecret: secret.map { Secret($0) }, redirectURI: redirectURI, parameters: parameters,
            insecureLoopback: insecureLoopback)
    }

    static func engine(
        secret: String? = "s3cret", parameters: [String: String] = [:], hooks: (any ProviderHooks)? = nil,
        _ change: (inout ProviderDescription) -> Void = { _ in }
    ) -> FlowEngine {
        FlowEngine(platform(secret: secret, parameters: parameters, hooks: hooks, change))
    }

    static func answer(_ status: Int, _ body: String, _ headers: [(name: String, value: String)] = []) -> ProviderAnswer
    {
        ProviderAnswer(status: status, headers: headers, body: Array(body.utf8))
    }
}

extension ProviderRequest {
    var text: String { String(decoding: body, as: UTF8.self) }
    func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }
    var form: [String: String] {
        Dictionary((FormText.decode(text) ?? []).map { ($0.name, $0.value) }, uniquingKeysWith: { "\($0),\($1)" })
    }
    var query: [String: String] { Fixture.query(url) }
}

extension Fixture {
    static func query(_ url: String) -> [String: String] {
        Dictionary(
            (FormText.decode(url.drop { $0 != "?" }.dropFirst()) ?? []).map { ($0.name, $0.value) },
            uniquingKeysWith: { "\($0),\($1)" })
    }
}
