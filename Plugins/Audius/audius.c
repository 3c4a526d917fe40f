#include "vault_plugin.h"

/* Read in Audius' own server and SDK. A refresh token that is used twice, even at the same moment, revokes them all:
 * vault redeems each once. Its SDK also sends `origin`, to which a window that it opened reports; here the browser
 * comes back by redirect. Not verified: that `origin` may be left out; which of the profile's ids is the public one. */
static const vault_provider_v1 audius = {
    .abi = VAULT_ABI_V1,
    .id = "audius",
    .name = "Audius",
    .issuer = "https://api.audius.co",
    .authorize = "https://api.audius.co/v1/oauth/authorize", /* sends the browser on to audius.co */
    .token = "https://api.audius.co/v1/oauth/token",
    .revoke = "https://api.audius.co/v1/oauth/revoke",
    .profile = "https://api.audius.co/v1/oauth/me",
    .scopes = "read", /* exactly one of read and write */
    .client = VAULT_CLIENT_NONE,
    .refresh_rule = VAULT_REFRESH_SINGLE_USE,
    .account_id = "data/id|user_id|userId",
    .display_name = "data/name|handle",
    .idle_lifetime = 30 * 86400,
    .names = (const vault_pair_v1[]){{"authorize.client_id", "api_key"}, {0}},
    .authorize_parameters = (const vault_pair_v1[]){{"response_mode", "query"}, {"display", "fullScreen"}, {0}},
    .shapes = (const vault_shape_v1[]){
        {.stage = "token", .encoding = VAULT_ENCODING_JSON},
        {.stage = "refresh", .encoding = VAULT_ENCODING_JSON},
        {.stage = "revoke", .encoding = VAULT_ENCODING_JSON},
        {0},
    },
};

const vault_provider_v1 *vault_plugin_v1(void) { return &audius; }
