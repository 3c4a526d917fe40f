#include "vault_plugin.h"

/* Read in Twitch's own documents. Its errors are {"status", "message", "error"}, with the reason in the message; the
 * status of a dead refresh token is 400 in one copy of the documents and 401 in another. The revocation takes access
 * tokens: a refresh token there is just an "Invalid token", as one that is gone. Not verified: that /validate takes
 * Bearer as well as OAuth; the messages for a bad code, a bad client and a token that is gone; whether the refresh
 * token ends with the access token. */
static const vault_provider_v1 twitch = {
    .abi = VAULT_ABI_V1,
    .id = "twitch",
    .name = "Twitch",
    .issuer = "https://id.twitch.tv/oauth2",
    .authorize = "https://id.twitch.tv/oauth2/authorize",
    .token = "https://id.twitch.tv/oauth2/token",
    .revoke = "https://id.twitch.tv/oauth2/revoke",
    .profile = "https://api.twitch.tv/helix/users",
    .validate = "https://id.twitch.tv/oauth2/validate",
    .scopes = "user:read:follows",
    .pkce = VAULT_PKCE_UNSUPPORTED, /* none is offered: the state protects alone */
    .client = VAULT_CLIENT_POST,
    .revocation = VAULT_REVOKE_ACCESS_TOKEN,
    .account_id = "data/0/id",
    .display_name = "data/0/display_name",
    .validate_every = 3600, /* a duty of every application */
    .revoke_parameters = (const vault_pair_v1[]){{"client_id", "{client_id}"}, {0}},
    .api_headers = (const vault_pair_v1[]){{"Client-Id", "{client_id}"}, {0}},
    .shapes = (const vault_shape_v1[]){{.stage = "revoke", .authentication = VAULT_AUTHENTICATION_NONE}, {0}},
    .errors = (const vault_error_v1[]){
        {.failure = VAULT_RECONNECT, .path = "message", .contains = "Invalid refresh token"},
        {.failure = VAULT_RESTART_LOGIN, .path = "message", .contains = "Invalid authorization code"},
        {.failure = VAULT_OPERATOR, .path = "message", .contains = "invalid client"},
        {0},
    },
    .more = (const vault_pair_v1[]){{"revoke.gone", "Invalid token"}, {0}},
};

const vault_provider_v1 *vault_plugin_v1(void) { return &twitch; }
