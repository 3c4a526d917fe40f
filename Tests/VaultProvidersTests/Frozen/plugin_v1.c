/* A plugin as it could be written when version 1 of the interface was made, with that day's header beside it.
 * Neither file is ever changed: every later vault must load this and read the same. */
#include "vault_plugin.h"

static int32_t prepare(const vault_call_v1 *call, vault_message_v1 *message) {
    if (call->stage != VAULT_REFRESH) return VAULT_DONE;
    vault_pair_v1 *headers = call->allocate(call, 32 * sizeof(vault_pair_v1));
    if (!headers) return VAULT_REFUSED;
    size_t count = 0;
    for (; message->headers[count].name && count < 30; count++) headers[count] = message->headers[count];
    headers[count].name = "X-Region";
    headers[count].value = call->settings[0].value;
    message->headers = headers;
    return VAULT_DONE;
}

static int32_t parse(const vault_call_v1 *call, vault_message_v1 *message) {
    (void)call;
    (void)message;
    return VAULT_DONE;
}

static const vault_pair_v1 header[] = {{"X-Client", "{client_id}"}, {NULL, NULL}};

static const vault_provider_v1 provider = {
    .abi = VAULT_ABI_V1,
    .flags = VAULT_REQUIRES_ISSUER_PARAMETER | VAULT_CALLBACK_MAY_BE_POSTED | VAULT_SCOPE_ON_TOKEN_REQUESTS |
             VAULT_ZERO_MEANS_NEVER | VAULT_REVOKE_SENDS_HINT,
    .id = "frozen",
    .name = "Frozen",
    .issuer = "https://frozen.example",
    .issuer_aliases = "frozen.example",
    .authorize = "https://frozen.example/authorize",
    .token = "https://frozen.example/token",
    .refresh = "https://frozen.example/refresh",
    .revoke = "https://api.frozen.example/revoke",
    .profile = "https://api.frozen.example/{user.region}/me",
    .validate = "https://frozen.example/validate",
    .hosts = "frozen.example api.frozen.example",
    .scopes = "profile music",
    .scope_separator = ",",
    .settings = "region",
    .discovery = VAULT_DISCOVERY_NONE,
    .flow = VAULT_FLOW_CODE,
    .pkce = VAULT_PKCE_SUPPORTED,
    .client = VAULT_CLIENT_POST,
    .state = VAULT_STATE_PARAMETER,
    .refresh_rule = VAULT_REFRESH_SINGLE_USE,
    .account = VAULT_ACCOUNT_PROFILE,
    .revocation = VAULT_REVOKE_BOTH,
    .account_id = "data/0/account_id|id",
    .display_name = "data/0/name",
    .access_token = "tokens/access",
    .refresh_token = "tokens/refresh",
    .scope = "tokens/scope",
    .id_token = "tokens/id",
    .expires_in = "tokens/lifetime expires_in",
    .api_header = "X-Token",
    .api_prefix = "OAuth ",
    .revoke_token_parameter = "gone",
    .revoke_statuses = "200 204",
    .absolute_lifetime = 31536000,
    .idle_lifetime = 2592000,
    .default_lifetime = 900,
    .validate_every = 3600,
    .names = (const vault_pair_v1[]){{"client_id", "app_id"}, {"token.scope", ""}, {NULL, NULL}},
    .authorize_parameters = (const vault_pair_v1[]){{"prompt", "consent"}, {NULL, NULL}},
    .token_parameters = (const vault_pair_v1[]){{"output", "json"}, {NULL, NULL}},
    .refresh_parameters = (const vault_pair_v1[]){{"redirect_uri", "{redirect_uri}"}, {NULL, NULL}},
    .revoke_parameters = (const vault_pair_v1[]){{"all", "1"}, {NULL, NULL}},
    .api_headers = header,
    .shapes = (const vault_shape_v1[]){
        {"refresh", "PUT", VAULT_ENCODING_JSON, VAULT_AUTHENTICATION_BASIC, header}, {NULL, NULL, 0, 0, NULL}},
    .errors = (const vault_error_v1[]){
        {VAULT_RECONNECT, 401, "message", "gone", NULL}, {VAULT_OPERATOR, 0, NULL, NULL, "no such app"},
        {0, 0, NULL, NULL, NULL}},
    .prepare = prepare,
    .parse = parse,
    .more = (const vault_pair_v1[]){{"a-name-of-later", "ignored"}, {NULL, NULL}},
};

const vault_provider_v1 *vault_plugin_v1(void) { return &provider; }
