#include "vault_plugin.h"

/* Read in client libraries. Not verified: whether `state` is echoed, so it travels in the redirect URI; the shape of
 * errors, such as that of a limit, which is a 403. There are no scopes, no refresh tokens, no revocation, and tokens
 * have no end. */
static const vault_provider_v1 mixcloud = {
    .abi = VAULT_ABI_V1,
    .flags = VAULT_NEVER_EXPIRES,
    .id = "mixcloud",
    .name = "Mixcloud",
    .issuer = "https://www.mixcloud.com",
    .authorize = "https://www.mixcloud.com/oauth/authorize",
    .token = "https://www.mixcloud.com/oauth/access_token",
    .profile = "https://api.mixcloud.com/me/",
    .pkce = VAULT_PKCE_UNSUPPORTED,
    .client = VAULT_CLIENT_POST,
    .state = VAULT_STATE_REDIRECT_QUERY,
    .refresh_rule = VAULT_REFRESH_NONE,
    .account_id = "key", /* "/name/": there is no number */
    .display_name = "name|username",
    .api_query = "access_token",
    .names = (const vault_pair_v1[]){{"token.grant_type", ""}, {0}},
    .shapes = (const vault_shape_v1[]){{.stage = "token", .method = "GET", .encoding = VAULT_ENCODING_QUERY}, {0}},
    .errors = (const vault_error_v1[]){
        {.failure = VAULT_RETRY, .status = 403, .path = "error/type", .equals = "RateLimitException"},
        {0},
    },
};

const vault_provider_v1 *vault_plugin_v1(void) { return &mixcloud; }
