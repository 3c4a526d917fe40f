/* One of the plugins that are loaded; built twenty times with another NUMBER. It has a hook that adds one header. */
#include "vault_plugin.h"

#define TEXT(number) #number
#define NAME(number) "bench" TEXT(number)
#define SITE(number) "https://bench" TEXT(number) ".example"

static int32_t prepare(const vault_call_v1 *call, vault_message_v1 *message) {
    static const vault_pair_v1 headers[] = {{"X-Bench", "1"}, {0}};
    (void)call;
    message->headers = headers;
    return VAULT_DONE;
}

static const vault_provider_v1 provider = {
    .abi = VAULT_ABI_V1,
    .id = NAME(NUMBER),
    .name = NAME(NUMBER),
    .issuer = SITE(NUMBER),
    .authorize = SITE(NUMBER) "/authorize",
    .token = SITE(NUMBER) "/token",
    .profile = SITE(NUMBER) "/me",
    .scopes = "profile",
    .account_id = "id",
    .prepare = prepare,
};

const vault_provider_v1 *vault_plugin_v1(void) { return &provider; }
