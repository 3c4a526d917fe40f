#include "vault_plugin.h"

/* Apple Music, read in Apple's own documents (generating developer tokens; HTTP status codes) and in reports of its
 * users. It is no OAuth: MusicKit JS gives a Music User Token to the browser and to nobody else, and the API wants it
 * beside a developer token that the application's private key signs. client-id is the Team ID, key-id the id of the
 * MusicKit key, client-secret the key's .p8 file. No account is named, and there is no revocation and no refresh, as
 * far as one can tell from documents that say nothing of them. Not verified: how long a user token lives (half a year,
 * it is said; nothing here relies on it), the bodies of a 401 and of a 403 other than 40300, whether a 429 carries
 * Retry-After. Nothing of it was tried against Apple. */
static const vault_provider_v1 apple_music = {
    .abi = VAULT_ABI_V1,
    .id = "apple-music",
    .name = "Apple Music",
    .issuer = "https://music.apple.com",
    .validate = "https://api.music.apple.com/v1/me/storefront",
    .settings = "key-id",
    .flow = VAULT_FLOW_BROWSER_TOKEN,
    .client = VAULT_CLIENT_NONE,
    .refresh_rule = VAULT_REFRESH_NONE,
    .account = VAULT_ACCOUNT_MINTED,
    .api_header = "Music-User-Token",
    .api_prefix = "",
    .validate_every = 86400,
    .errors = (const vault_error_v1[]){
        /* The user token is refused, while the catalogue still answers: with 40300, and a 403 of Apple's own means
         * nothing else. */
        {.failure = VAULT_RECONNECT, .status = 403, .path = "errors/0/code", .equals = "40300"},
        {.failure = VAULT_RECONNECT, .status = 403, .path = "errors/0/status", .equals = "403"},
        {.failure = VAULT_RECONNECT, .status = 403, .equals = ""},
        /* The developer token is refused: whoever runs the vault has to look at the key. */
        {.failure = VAULT_OPERATOR, .status = 401, .equals = ""},
        {.failure = VAULT_OPERATOR, .status = 401, .path = "errors/0/status", .equals = "401"},
        {0},
    },
    .more = (const vault_pair_v1[]){
        {"jwt.algorithm", "ES256"},
        {"jwt.key_id", "{user.key-id}"},
        {"jwt.lifetime", "43200"}, /* Apple takes up to six months; a browser needs it for a day's visit */
        {0},
    },
};

const vault_provider_v1 *vault_plugin_v1(void) { return &apple_music; }
