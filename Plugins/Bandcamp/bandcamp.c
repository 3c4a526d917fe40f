#include "vault_plugin.h"

/* Bandcamp, read in its own documents (bandcamp.com/developer). For labels and merchandise partners, by request:
 * nobody logs in, the tokens are the application's own, and an operator connects users with `vault refresh`. The
 * refresh token that comes along is not used: the client asks anew. Not verified: what an error looks like, and how
 * long a refresh token would live. */
static const vault_provider_v1 bandcamp = {
    .abi = VAULT_ABI_V1,
    .id = "bandcamp",
    .name = "Bandcamp",
    .issuer = "https://bandcamp.com",
    .token = "https://bandcamp.com/oauth_token",
    .flow = VAULT_FLOW_CLIENT_CREDENTIALS,
    .client = VAULT_CLIENT_POST,
    .refresh_rule = VAULT_REFRESH_NONE,
    .account = VAULT_ACCOUNT_MINTED,
    .default_lifetime = 3600,
};

const vault_provider_v1 *vault_plugin_v1(void) { return &bandcamp; }
