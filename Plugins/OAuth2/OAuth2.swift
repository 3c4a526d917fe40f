import VaultABI
import VaultPluginKit

// Any OAuth 2 provider whose endpoints the operator writes into vault.conf:
// authorize, token and profile, perhaps refresh, revoke, issuer, account-id = "data.id", client-auth = "post" ...
// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
public func vault_plugin_v1() -> UnsafePointer<vault_provider_v1>! {
    var oauth2 = Provider(id: "oauth2", name: "OAuth 2", issuer: "{user.issuer}")
    oauth2.settings = """
        issuer authorize token refresh revoke profile account-id display-name-path client-auth pkce refresh-rule \
        scope-separator
        """
    oauth2.authorize = "{user.authorize}"
    oauth2.token = "{user.token}"
    oauth2.refresh = "{user.refresh}"
    oauth2.revoke = "{user.revoke}"
    oauth2.profile = "{user.profile}"
    oauth2.accountID = "sub|id|user_id"
    oauth2.displayName = "name|display_name|username|login"
    return oauth2.published()
}
