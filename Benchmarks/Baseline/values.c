#include "baseline.h"

#include <stdio.h>
#include <string.h>

static const uint8_t vault_id[16] = "baseline-vault-1";

/* The keys of the terms, in guarded memory as vault keeps its own. */
static uint8_t *term_keys[64];

void make_term_keys(void) {
    for (int term = 0; term < 64; term++) {
        term_keys[term] = need(sodium_malloc(crypto_secretbox_KEYBYTES));
        memset(term_keys[term], term + 1, crypto_secretbox_KEYBYTES);
        sodium_mprotect_readonly(term_keys[term]);
    }
}

void make_key(uint8_t key[KEY_SIZE], uint32_t user) {
    char text[KEY_SIZE + 1];
    snprintf(text, sizeof text, "user-%010u", user);
    memcpy(text + 16, "platform#sandbox", 16);
    memcpy(key, text, KEY_SIZE);
}

static void write_header(uint8_t *value, header_t header) {
    memset(value, 0, HEADER_SIZE);
    value[0] = value[1] = value[2] = 1;
    memcpy(value + 4, &header.term, 4);
    memcpy(value + 8, &header.version, 8);
    memcpy(value + 16, &header.ends_at, 8);
}

header_t read_header(const uint8_t *value) {
    header_t header;
    memcpy(&header.term, value + 4, 4);
    memcpy(&header.version, value + 8, 8);
    memcpy(&header.ends_at, value + 16, 8);
    return header;
}

/* BLAKE2b-256(term's key, vault id ‖ header ‖ length ‖ user ‖ length ‖ platform#name): binds the value to its place. */
static void record_key(uint8_t out[32], const uint8_t *value, const uint8_t *key, size_t key_size) {
    static const uint8_t personal[crypto_generichash_blake2b_PERSONALBYTES] = "vault-rec-v1";
    uint8_t message[16 + HEADER_SIZE + 8 + 511];
    const uint8_t *end = memchr(key, 0, key_size);
    uint32_t user_size = (uint32_t)(end - key), sort_size = (uint32_t)(key_size - user_size - 1);
    uint8_t *at = message;
    memcpy(at, vault_id, 16), at += 16;
    memcpy(at, value, HEADER_SIZE), at += HEADER_SIZE;
    memcpy(at, &user_size, 4), at += 4;
    memcpy(at, key, user_size), at += user_size;
    memcpy(at, &sort_size, 4), at += 4;
    memcpy(at, end + 1, sort_size), at += sort_size;
    crypto_generichash_blake2b_salt_personal(out, 32, message, (size_t)(at - message),
                                             term_keys[read_header(value).term % 64], 32, NULL, personal);
}

void seal(uint8_t *value, size_t size, header_t header, const uint8_t *key, size_t key_size, const uint8_t *plain) {
    uint8_t subkey[32];
    write_header(value, header);
    randombytes_buf(value + HEADER_SIZE, NONCE_SIZE);
    record_key(subkey, value, key, key_size);
    crypto_secretbox_easy(value + BOX_OFFSET, plain, size - OVERHEAD, value + HEADER_SIZE, subkey);
    sodium_memzero(subkey, sizeof subkey);
}

bool open_value(const uint8_t *value, size_t size, const uint8_t *key, size_t key_size, uint8_t *plain) {
    uint8_t subkey[32];
    if (size <= OVERHEAD || value[0] != 1 || value[1] != 1) return false;
    record_key(subkey, value, key, key_size);
    int status = crypto_secretbox_open_easy(plain, value + BOX_OFFSET, size - BOX_OFFSET, value + HEADER_SIZE, subkey);
    sodium_memzero(subkey, sizeof subkey);
    return status == 0;
}

void make_plain(uint8_t *plain, size_t size, uint32_t user) {
    memset(plain, 'a' + (int)(user % 26), size);
}
