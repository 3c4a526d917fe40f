import VaultABI
import VaultPluginKit

// Read in Spotify's own documents (developer.spotify.com, 2025-02 to 2026-06).
// Not verified against the live service: PKCE together with Basic authentication; the list of scopes; that there is no
// revocation, which no document mentions.
// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
public func vault_plugin_v1() -> UnsafePointer<vault_provider_v1>! {
    var spotify = Provider(id: "spotify", name: "Spotify", issuer: "https://accounts.spotify.com")
    spotify.authorize = "https://accounts.spotify.com/authorize"
    spotify.token = "https://accounts.spotify.com/api/token"
    spotify.profile = "https://api.spotify.com/v1/me"
    // No revocation: users remove the app in their account page.
    spotify.scopes =
        "user-read-private playlist-read-private playlist-read-collaborative user-library-read user-top-read"
    // account_id is the immutable one, since May 2026; older answers have id alone.
    spotify.accountID = "account_id|id"
    spotify.displayName = "display_name"
    spotify.defaultLifetime = 3600
    // A refresh seldom brings a new refresh token; either way the grant ends six months after consent.
    spotify.absoluteLifetime = 182 * 86400
    // A user who is not on the list of an app in development mode; the app is at fault, not the grant.
    spotify.errors = [.init(VAULT_OPERATOR, status: 403, contains: "not registered")]
    return spotify.published()
}
