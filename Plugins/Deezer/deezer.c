#include "vault_plugin.h"

/* For applications that exist already: Deezer registers no new ones since 2024. Read in client libraries, as its own
 * documents are gone; not verified: `perms` against `scope`, the codes of its errors. It knows only the secret in the
 * query of a GET, and a bad code is 200 with the words "wrong code". */
static const vault_provider_v1 deezer = {
    .abi = VAULT_ABI_V1,
    .flags = VAULT_ZERO_MEANS_NEVER, /* with offline_access */
    .id = "deezer",
    .name = "Deezer",
    .issuer = "https://connect.deezer.com",
    .authorize = "https://connect.deezer.com/oauth/auth.php",
    .token = "https://connect.deezer.com/oauth/access_token.php",
    .profile = "https://api.deezer.com/user/me",
    .scopes = "basic_access offline_access listening_history",
    .scope_separator = ",",
    .pkce = VAULT_PKCE_UNSUPPORTED,
    .client = VAULT_CLIENT_POST,
    .refresh_rule = VAULT_REFRESH_NONE,
    .display_name = "name",
    .expires_in = "expires expires_in",
    .api_query = "access_token",
    .names = (const vault_pair_v1[]){
        {"client_id", "app_id"}, {"client_secret", "secret"}, {"scope", "perms"}, {"token.grant_type", ""},
        {"token.redirect_uri", ""}, {0},
    },
    .token_parameters = (const vault_pair_v1[]){{"output", "json"}, {0}},
    .shapes = (const vault_shape_v1[]){{.stage = "token", .method = "GET", .encoding = VAULT_ENCODING_QUERY}, {0}},
    .errors = (const vault_error_v1[]){
        {.failure = VAULT_RESTART_LOGIN, .status = 200, .contains = "wrong code"},
        {.failure = VAULT_RETRY, .path = "error/code", .equals = "4"}, /* the quota of requests */
        {.failure = VAULT_RECONNECT, .path = "error/type", .equals = "OAuthException"},
        {0},
    },
};

const vault_provider_v1 *vault_plugin_v1(void) { return &deezer; }
