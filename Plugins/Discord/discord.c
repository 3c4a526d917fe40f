#include "vault_plugin.h"

/* Read in Discord's own metadata and documents. Not verified: PKCE of a client that has a secret; how long a refresh
 * token lives. Ten thousand refused requests in ten minutes ban the address: vault never repeats a dead grant. */
static const vault_provider_v1 discord = {
    .abi = VAULT_ABI_V1,
    .flags = VAULT_REQUIRES_ISSUER_PARAMETER,
    .id = "discord",
    .name = "Discord",
    .issuer = "https://discord.com",
    .authorize = "https://discord.com/api/oauth2/authorize",
    .token = "https://discord.com/api/oauth2/token",
    .revoke = "https://discord.com/api/oauth2/token/revoke",
    .profile = "https://discord.com/api/users/@me",
    .scopes = "identify connections",
    .pkce = VAULT_PKCE_SUPPORTED,
    .refresh_rule = VAULT_REFRESH_SINGLE_USE,
    .display_name = "global_name|username",
    .default_lifetime = 604800,
    .errors = (const vault_error_v1[]){
        /* As users report it; the code beside it is invalid_request. */
        {.failure = VAULT_RECONNECT, .status = 400, .path = "error_description", .contains = "\"refresh_token\""},
        {0},
    },
};

const vault_provider_v1 *vault_plugin_v1(void) { return &discord; }
