#include "vault_plugin.h"

/* The part of our own sandbox (`vault sandbox`) that gives its tokens to the browser, as Apple Music does: for tests
 * and for whoever builds a page for such a platform. On a loopback port, so its platform needs issuer, key-id and
 * insecure-loopback = true in vault.conf. */
static const vault_provider_v1 sandbox_music = {
    .abi = VAULT_ABI_V1,
    .id = "sandbox-music",
    .name = "Sandbox Music",
    .issuer = "{user.issuer}",
    .validate = "{user.issuer}/music/me",
    .settings = "issuer key-id",
    .flow = VAULT_FLOW_BROWSER_TOKEN,
    .client = VAULT_CLIENT_NONE,
    .refresh_rule = VAULT_REFRESH_NONE,
    .account = VAULT_ACCOUNT_MINTED,
    .api_header = "Music-User-Token",
    .api_prefix = "",
    .validate_every = 86400,
    .errors = (const vault_error_v1[]){
        {.failure = VAULT_RECONNECT, .status = 403, .path = "errors/0/code", .equals = "40300"},
        {.failure = VAULT_OPERATOR, .status = 401, .path = "errors/0/status", .equals = "401"},
        {0},
    },
    .more = (const vault_pair_v1[]){{"jwt.algorithm", "ES256"}, {"jwt.key_id", "{user.key-id}"}, {0}},
};

const vault_provider_v1 *vault_plugin_v1(void) { return &sandbox_music; }
