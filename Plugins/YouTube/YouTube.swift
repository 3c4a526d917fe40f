import VaultABI
import VaultPluginKit

// Read in Google's own documents (developers.google.com/identity, developers.google.com/youtube, to 2026-05).
// YouTube Music has no interface of its own that anybody knows of, which is not verified: the YouTube Data API takes
// these tokens.
// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
public func vault_plugin_v1() -> UnsafePointer<vault_provider_v1>! {
    var youtube = Provider(id: "youtube", name: "YouTube", issuer: "https://accounts.google.com")
    youtube.issuerAliases = "accounts.google.com"  // in ID tokens, now and then
    youtube.authorize = "https://accounts.google.com/o/oauth2/v2/auth"
    youtube.token = "https://oauth2.googleapis.com/token"
    // Revokes every grant of this user to the whole Google project, not only to this client.
    youtube.revoke = "https://oauth2.googleapis.com/revoke"
    youtube.scopes = "openid https://www.googleapis.com/auth/youtube.readonly"
    youtube.pkce = VAULT_PKCE_SUPPORTED
    youtube.client = VAULT_CLIENT_POST
    youtube.account = VAULT_ACCOUNT_ID_TOKEN
    // A refresh token comes only with both of these, and never from a refresh.
    youtube.authorizeParameters = [("access_type", "offline"), ("prompt", "consent")]
    youtube.idleLifetime = 182 * 86400
    youtube.shapes = [.init("revoke", authentication: VAULT_AUTHENTICATION_NONE)]
    return youtube.published()
}
