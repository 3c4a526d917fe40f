import VaultABI
import VaultPluginKit

// Login with Amazon, read in Amazon's own documents (developer.amazon.com). No revocation was found. Not verified: the
// regional hosts of other countries, and Amazon Music's interface, which is a closed beta.
// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
public func vault_plugin_v1() -> UnsafePointer<vault_provider_v1>! {
    var amazon = Provider(id: "amazon", name: "Amazon", issuer: "https://www.amazon.com")
    amazon.authorize = "https://www.amazon.com/ap/oa"
    amazon.token = "https://api.amazon.com/auth/o2/token"
    amazon.profile = "https://api.amazon.com/user/profile"
    amazon.scopes = "profile"
    amazon.pkce = VAULT_PKCE_SUPPORTED
    amazon.client = VAULT_CLIENT_POST
    amazon.accountID = "user_id"
    amazon.displayName = "name"
    amazon.defaultLifetime = 3600
    return amazon.published()
}
