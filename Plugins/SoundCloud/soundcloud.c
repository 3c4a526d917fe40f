#include "vault_plugin.h"

/* Read in SoundCloud's own documents (github.com/soundcloud/api, developers.soundcloud.com, 2025 to 2026). There
 * are no scopes. Revocation is a sign-out with the access token; there is no RFC 7009. A 403 page of the network in
 * front and a stray 429 are taken for outages by vault itself. */
static const vault_provider_v1 soundcloud = {
    .abi = VAULT_ABI_V1,
    .flags = VAULT_CALLBACK_MAY_BE_POSTED,
    .id = "soundcloud",
    .name = "SoundCloud",
    .issuer = "https://secure.soundcloud.com",
    .authorize = "https://secure.soundcloud.com/authorize",
    .token = "https://secure.soundcloud.com/oauth/token",
    .revoke = "https://api.soundcloud.com/sign-out",
    .profile = "https://api.soundcloud.com/me",
    .client = VAULT_CLIENT_POST,
    .refresh_rule = VAULT_REFRESH_SINGLE_USE, /* it does not end by itself */
    .account_id = "urn",                      /* the numeric id is deprecated */
    .display_name = "username",
    .api_prefix = "OAuth ",
    .default_lifetime = 3600,
    .refresh_parameters = (const vault_pair_v1[]){{"redirect_uri", "{redirect_uri}"}, {0}},
    .revoke_token_parameter = "",
    .revoke_statuses = "200 204", /* which of the two is not documented */
    .shapes = (const vault_shape_v1[]){
        {.stage = "revoke", .encoding = VAULT_ENCODING_NONE, .authentication = VAULT_AUTHENTICATION_ACCESS_TOKEN},
        {0},
    },
};

const vault_provider_v1 *vault_plugin_v1(void) { return &soundcloud; }
