#include "vault_plugin.h"

#include <stdio.h>
#include <string.h>

/* Read in Last.fm's own documents (last.fm/api/webauth) and in clients. Not OAuth, but near: the token that comes back
 * is exchanged for a session key without end, by a request that is signed with MD5 over the secret. No state is echoed:
 * it travels in the callback. A session is known by the user's name; whether names can change is not verified. */

/* MARK: MD5 (RFC 1321), for short texts */

static uint32_t rotate(uint32_t x, unsigned n) { return x << n | x >> (32 - n); }

/* The sines of RFC 1321 §3.4, as it lists them. */
static const uint32_t sines[64] = {
    0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
    0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
    0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
    0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
    0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
    0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
    0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
    0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391,
};
static const unsigned char turns[4][4] = {{7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};

static void block(uint32_t state[4], const uint8_t *bytes) {
    uint32_t words[16], a = state[0], b = state[1], c = state[2], d = state[3];
    for (unsigned i = 0; i < 16; i++)
        words[i] = (uint32_t)bytes[4 * i] | (uint32_t)bytes[4 * i + 1] << 8 | (uint32_t)bytes[4 * i + 2] << 16 |
                   (uint32_t)bytes[4 * i + 3] << 24;
    for (unsigned i = 0; i < 64; i++) {
        uint32_t mixed;
        unsigned word;
        switch (i / 16) {
        case 0: mixed = (b & c) | (~b & d), word = i; break;
        case 1: mixed = (d & b) | (~d & c), word = (5 * i + 1) % 16; break;
        case 2: mixed = b ^ c ^ d, word = (3 * i + 5) % 16; break;
        default: mixed = c ^ (b | ~d), word = 7 * i % 16;
        }
        uint32_t next = b + rotate(a + mixed + sines[i] + words[word], turns[i / 16][i % 4]);
        a = d, d = c, c = b, b = next;
    }
    state[0] += a, state[1] += b, state[2] += c, state[3] += d;
}

/* Writes 32 hexadecimal digits and a NUL. `text` has room for 72 bytes more than `size`. */
static void md5(uint8_t *text, size_t size, char *digest) {
    uint32_t state[4] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};
    size_t end = (size + 8) / 64 * 64 + 64;
    memset(text + size, 0, end - size);
    text[size] = 0x80;
    for (unsigned i = 0; i < 8; i++) text[end - 8 + i] = (uint8_t)((uint64_t)size * 8 >> 8 * i);
    for (size_t at = 0; at < end; at += 64) block(state, text + at);
    for (unsigned i = 0; i < 16; i++) sprintf(digest + 2 * i, "%02x", state[i / 4] >> i % 4 * 8 & 255);
}

/* MARK: The signature */

/* Where the value of `name` starts in a query, and its length; NULL if it is not there. */
static const char *value(const char *url, const char *name, size_t *length) {
    const char *at = strchr(url, '?');
    while (at) {
        size_t n = strlen(name);
        if (!strncmp(at + 1, name, n) && at[1 + n] == '=') {
            *length = strcspn(at + 2 + n, "&");
            return at + 2 + n;
        }
        at = strchr(at + 1, '&');
    }
    return NULL;
}

/* Adds method and format, and signs: MD5 of names and values in order of name, then the secret. Keys and tokens are
 * letters and digits, dashes and underscores: nothing in them is percent-encoded. */
static int32_t prepare(const vault_call_v1 *call, vault_message_v1 *message) {
    if (call->stage != VAULT_EXCHANGE) return VAULT_DONE;
    size_t key_size, token_size;
    const char *key = value(message->url, "api_key", &key_size), *token = value(message->url, "token", &token_size);
    if (!key || !token || !call->client_secret || memchr(token, '%', token_size)) return VAULT_REFUSED;

    size_t room = key_size + token_size + strlen(call->client_secret) + 64, url_room = strlen(message->url) + 128;
    char *text = call->allocate(call, room + 72), *url = call->allocate(call, url_room), digest[33];
    if (!text || !url) return VAULT_REFUSED;
    int size = snprintf(text, room, "api_key%.*smethodauth.getSessiontoken%.*s%s", (int)key_size, key, (int)token_size,
                        token, call->client_secret);
    md5((uint8_t *)text, (size_t)size, digest);
    snprintf(url, url_room, "%s&method=auth.getSession&format=json&api_sig=%s", message->url, digest);
    message->url = url;
    return VAULT_DONE;
}

/* MARK: The description */

static const vault_provider_v1 lastfm = {
    .abi = VAULT_ABI_V1,
    .flags = VAULT_NEVER_EXPIRES | VAULT_HOOK_NEEDS_SECRET,
    .id = "lastfm",
    .name = "Last.fm",
    .issuer = "https://www.last.fm",
    .authorize = "https://www.last.fm/api/auth/",
    .token = "https://ws.audioscrobbler.com/2.0/",
    .pkce = VAULT_PKCE_UNSUPPORTED,
    .client = VAULT_CLIENT_NONE, /* the signature proves the secret */
    .state = VAULT_STATE_REDIRECT_QUERY,
    .refresh_rule = VAULT_REFRESH_NONE,
    .account = VAULT_ACCOUNT_TOKEN,
    .account_id = "session/name",
    .access_token = "session/key",
    .api_query = "sk", /* beside api_key and another signature */
    .names = (const vault_pair_v1[]){
        {"client_id", "api_key"}, {"authorize.redirect_uri", "cb"}, {"response_type", ""}, {"scope", ""},
        {"callback.code", "token"}, {"token.code", "token"}, {"token.grant_type", ""}, {"token.redirect_uri", ""}, {0},
    },
    .shapes = (const vault_shape_v1[]){{.stage = "token", .method = "GET", .encoding = VAULT_ENCODING_QUERY}, {0}},
    .errors = (const vault_error_v1[]){
        {.failure = VAULT_RECONNECT, .path = "error", .equals = "9"},
        {.failure = VAULT_RESTART_LOGIN, .path = "error", .equals = "4"},
        {.failure = VAULT_RESTART_LOGIN, .path = "error", .equals = "14"},
        {.failure = VAULT_RESTART_LOGIN, .path = "error", .equals = "15"},
        {.failure = VAULT_RETRY, .path = "error", .equals = "8"},
        {.failure = VAULT_RETRY, .path = "error", .equals = "11"},
        {.failure = VAULT_RETRY, .path = "error", .equals = "16"},
        {.failure = VAULT_RETRY, .path = "error", .equals = "29"},
        {.failure = VAULT_OPERATOR, .path = "error", .equals = "10"},
        {.failure = VAULT_OPERATOR, .path = "error", .equals = "13"},
        {.failure = VAULT_OPERATOR, .path = "error", .equals = "26"},
        {0},
    },
    .prepare = prepare,
};

const vault_provider_v1 *vault_plugin_v1(void) { return &lastfm; }
