import VaultABI
import VaultPluginKit

// Any OpenID Connect provider: its endpoints come by discovery from `issuer` in vault.conf.
// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
public func vault_plugin_v1() -> UnsafePointer<vault_provider_v1>! {
    var oidc = Provider(id: "oidc", name: "OpenID Connect", issuer: "{user.issuer}")
    oidc.settings = "issuer client-auth refresh-rule"
    oidc.discovery = VAULT_DISCOVERY_OIDC
    oidc.pkce = VAULT_PKCE_SUPPORTED
    oidc.account = VAULT_ACCOUNT_ID_TOKEN
    oidc.displayName = "name|preferred_username"
    // Both are asked for: some servers give a refresh token for the one, some for the other (OIDC Core §11).
    oidc.scopes = "openid offline_access"
    oidc.authorizeParameters = [("prompt", "consent")]
    return oidc.published()
}
