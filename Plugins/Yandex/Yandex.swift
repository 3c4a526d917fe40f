import VaultABI
import VaultPluginKit

// Yandex ID, read in Yandex' own documents. Yandex Music has no public interface. Tokens could be revoked only if they
// were issued with a device_id of the connection's own, so there is no revocation here. A refresh may bring the
// access token that is there already. Not verified: the lifetimes, a year or more.
// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
public func vault_plugin_v1() -> UnsafePointer<vault_provider_v1>! {
    var yandex = Provider(id: "yandex", name: "Yandex", issuer: "https://oauth.yandex.com")
    yandex.authorize = "https://oauth.yandex.com/authorize"
    yandex.token = "https://oauth.yandex.com/token"
    yandex.profile = "https://login.yandex.ru/info?format=json"
    yandex.scopes = "login:info"
    yandex.pkce = VAULT_PKCE_SUPPORTED
    yandex.displayName = "display_name|login"
    yandex.apiPrefix = "OAuth "
    return yandex.published()
}
