#include "vault_plugin.h"

/* Read in GitHub's own documents (docs.github.com, github.blog to 2025-07). Tokens of an OAuth App never end and have
 * no refresh token; those of a GitHub App may end, and then each refresh token works once. Not verified: that errors
 * come with 200, as clients have it; the name bad_refresh_token; the body and the authentication of the revocation, and
 * that it answers 404 for a token that is gone, as the check of a token does. */
static const vault_provider_v1 github = {
    .abi = VAULT_ABI_V1,
    .id = "github",
    .name = "GitHub",
    .issuer = "https://github.com/login/oauth",
    .authorize = "https://github.com/login/oauth/authorize",
    .token = "https://github.com/login/oauth/access_token",
    .revoke = "https://api.github.com/applications/{client_id}/token", /* not RFC 7009 */
    .profile = "https://api.github.com/user",
    .scopes = "read:user",
    .pkce = VAULT_PKCE_SUPPORTED,
    .client = VAULT_CLIENT_POST,
    .refresh_rule = VAULT_REFRESH_SINGLE_USE,
    .revocation = VAULT_REVOKE_ACCESS_TOKEN,
    .display_name = "login",
    .revoke_token_parameter = "access_token",
    .revoke_statuses = "200 204",
    .shapes = (const vault_shape_v1[]){
        {.stage = "revoke", .method = "DELETE", .encoding = VAULT_ENCODING_JSON,
         .authentication = VAULT_AUTHENTICATION_BASIC},
        {0},
    },
    .errors = (const vault_error_v1[]){
        {.failure = VAULT_RESTART_LOGIN, .path = "error", .equals = "unverified_user_email"},
        {0},
    },
    .more = (const vault_pair_v1[]){{"revoke.gone", "\"Not Found\""}, {0}},
};

const vault_provider_v1 *vault_plugin_v1(void) { return &github; }
