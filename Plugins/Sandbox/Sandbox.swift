import VaultABI
import VaultPluginKit

// Our own authorization server for newcomers and tests: `vault sandbox`. On a loopback port, so its platform needs
// issuer and insecure-loopback = true in vault.conf.
// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
public func vault_plugin_v1() -> UnsafePointer<vault_provider_v1>! {
    var sandbox = Provider(id: "sandbox", name: "Sandbox", issuer: "{user.issuer}")
    sandbox.settings = "issuer"
    sandbox.authorize = "{user.issuer}/authorize"
    sandbox.token = "{user.issuer}/token"
    sandbox.revoke = "{user.issuer}/revoke"
    sandbox.profile = "{user.issuer}/userinfo"
    sandbox.scopes = "profile music"
    sandbox.refreshRule = VAULT_REFRESH_SINGLE_USE
    sandbox.accountID = "sub"
    sandbox.displayName = "name"
    return sandbox.published()
}
