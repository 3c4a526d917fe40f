#include "vault_plugin.h"

/* Read in Google's own documents (developers.google.com/identity, to 2026-05). The server is YouTube's too: with the
 * very same endpoints the two are no mix-up. */
static const vault_provider_v1 google = {
    .abi = VAULT_ABI_V1,
    .id = "google",
    .name = "Google",
    .issuer = "https://accounts.google.com",
    .issuer_aliases = "accounts.google.com", /* in ID tokens, now and then */
    .authorize = "https://accounts.google.com/o/oauth2/v2/auth",
    .token = "https://oauth2.googleapis.com/token",
    .revoke = "https://oauth2.googleapis.com/revoke", /* every grant of this user to the whole Google project */
    .scopes = "openid email profile",
    .pkce = VAULT_PKCE_SUPPORTED,
    .client = VAULT_CLIENT_POST,
    .account = VAULT_ACCOUNT_ID_TOKEN,
    .idle_lifetime = 182 * 86400,
    /* A refresh token comes only with both of these, and never from a refresh. */
    .authorize_parameters = (const vault_pair_v1[]){{"access_type", "offline"}, {"prompt", "consent"}, {0}},
    .shapes = (const vault_shape_v1[]){{.stage = "revoke", .authentication = VAULT_AUTHENTICATION_NONE}, {0}},
};

const vault_provider_v1 *vault_plugin_v1(void) { return &google; }
