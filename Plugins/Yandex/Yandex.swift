import VaultABI
import VaultPluginKit

// Yandex ID, read in Yandex' own documents. Yandex Music has no public interface. Only a token that was issued to a
// device can be revoked, so each consent is a device of its own. A refresh may bring the access token that is there
// already. Read in clients alone: the names of the revocation's parameters. Not verified: the lifetimes, a year or more;
// the code bad_verification_code of a lost login.
// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
public func vault_plugin_v1() -> UnsafePointer<vault_provider_v1>! {
    var yandex = Provider(id: "yandex", name: "Yandex", issuer: "https://oauth.yandex.com")
    yandex.authorize = "https://oauth.yandex.com/authorize"
    yandex.token = "https://oauth.yandex.com/token"
    yandex.revoke = "https://oauth.yandex.com/revoke_token"
    yandex.profile = "https://login.yandex.ru/info?format=json"
    yandex.scopes = "login:info"
    yandex.pkce = VAULT_PKCE_SUPPORTED
    yandex.client = VAULT_CLIENT_POST
    yandex.authorizeParameters = [("device_id", "{connection.uuid}"), ("device_name", "vault")]
    yandex.revocation = VAULT_REVOKE_ACCESS_TOKEN
    yandex.revokeTokenParameter = "access_token"
    yandex.displayName = "display_name|login"
    yandex.apiPrefix = "OAuth "
    return yandex.published()
}
