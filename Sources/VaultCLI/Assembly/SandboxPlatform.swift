import Vault
import VaultBase
import VaultProviders
import VaultTesting

/// The platform `sandbox` of `vault serve --sandbox`: configured by itself, on loopback only.
struct SandboxPlatform: Sendable {
    let options: Sandbox.Options
    private let redirectURI: String

    init(settings: Settings) {
        redirectURI = "\(settings.publicURL)/auth/sandbox/callback"
        var options = Sandbox.Options()
        options.port = settings[\.sandboxPort]
        options.redirectURIs = [redirectURI]
        self.options = options
    }

    func entry(_ reports: [PluginReport]) -> PlatformDirectory.Entry {
        guard let name = try? PlatformName("sandbox") else { preconditionFailure("sandbox is a platform's name") }
        guard let provider = reports.lazy.compactMap(\.provider).first(where: { $0.description.id == "sandbox" }) else {
            let fault = VaultError(
                .platformUnavailable, "the plugin sandbox.so is missing or not usable",
                hint: "build the plugins with make build and point --plugins-path at them; see: vault plugins")
            return PlatformDirectory.Entry(name: name, displayName: "Sandbox", platform: nil, fault: fault)
        }
        let issuer = "http://127.0.0.1:\(options.port)"
        let platform = Platform(
            name: name, provider: provider, clientID: options.clientID, clientSecret: Secret(options.clientSecret),
            redirectURI: redirectURI, parameters: ["issuer": issuer], insecureLoopback: true)
        return PlatformDirectory.Entry(name: name, displayName: platform.displayName, platform: platform, fault: nil)
    }
}
