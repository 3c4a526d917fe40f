#include "vault_plugin.h"

/* Read in TIDAL's own SDK (tidal-sdk-web). No revocation is documented; lifetimes of the code flow are not either. */
static const vault_provider_v1 tidal = {
    .abi = VAULT_ABI_V1,
    .flags = VAULT_SCOPE_ON_TOKEN_REQUESTS, /* on the refresh, too */
    .id = "tidal",
    .name = "TIDAL",
    .issuer = "https://auth.tidal.com",
    .authorize = "https://login.tidal.com/authorize",
    .token = "https://auth.tidal.com/v1/oauth2/token",
    .scopes = "user.read collection.read playlists.read",
    .client = VAULT_CLIENT_POST,
    .account = VAULT_ACCOUNT_TOKEN,
    .account_id = "user_id",
    /* A refresh brings no new refresh token: the old one is kept. */
};

const vault_provider_v1 *vault_plugin_v1(void) { return &tidal; }
