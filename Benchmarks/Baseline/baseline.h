/* What a careful C programmer writes with LMDB and libsodium alone: the other column of the figures.
 *
 * The same keys, the same sealed values, the same sizes and the same durability as vault, without its compare-and-set,
 * its state record and its typed connections. Every command prints lines of a name and a number. */
#ifndef BASELINE_H
#define BASELINE_H

#include <lmdb.h>
#include <sodium.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* MARK: Values */

enum {
    HEADER_SIZE = 24,
    NONCE_SIZE = crypto_secretbox_NONCEBYTES,
    BOX_OFFSET = HEADER_SIZE + NONCE_SIZE,
    OVERHEAD = BOX_OFFSET + crypto_secretbox_MACBYTES,
    KEY_SIZE = 32, /* "user-%010u" 0x00 "platform#sandbox"; those who stay have even numbers */
    VALUE_LIMIT = 16384,
};

typedef struct {
    uint32_t term;
    uint64_t version;
    int64_t ends_at; /* in ms; 0 for never */
} header_t;

/* Once, before any thread seals or opens. */
void make_term_keys(void);
void make_key(uint8_t key[KEY_SIZE], uint32_t user);
header_t read_header(const uint8_t *value);
/* Seals `size - OVERHEAD` bytes of plaintext into `size` bytes. */
void seal(uint8_t *value, size_t size, header_t header, const uint8_t *key, size_t key_size, const uint8_t *plain);
/* Opens into `size - OVERHEAD` bytes; false when it does not open. */
bool open_value(const uint8_t *value, size_t size, const uint8_t *key, size_t key_size, uint8_t *plain);
void make_plain(uint8_t *plain, size_t size, uint32_t user);

/* MARK: The store */

typedef struct {
    MDB_env *env;
    MDB_dbi records, expiry;
} store_t;

store_t open_store(const char *path, unsigned flags);
void check(int status, const char *deed);
MDB_txn *begin(store_t store, unsigned flags);
void commit(MDB_txn *txn);
/* Puts a sealed record and, when it ends, its entry in the expiry index. */
void put_record(MDB_txn *txn, store_t store, uint32_t user, uint64_t version, int64_t ends_at, size_t size, unsigned flags);
/* Reads every page once: what is measured is not the first fault. */
void touch(store_t store);

/* MARK: Measuring */

double now(void);      /* seconds, monotonic */
double cpu_time(void); /* seconds of this process */
int64_t wall_ms(void);
uint32_t next_random(uint64_t *state, uint32_t limit);
void report(const char *name, double value);
/* The p-th percentile; sorts what it is given. */
double percentile(double *values, size_t count, double p);
void *need(void *pointer);

/* MARK: Commands */

void load(const char *path, uint32_t records, uint32_t ended, size_t size);
void read_records(const char *path, uint32_t records, double seconds, unsigned threads);
void latency(const char *path, uint32_t records, uint32_t count);
void put_records(const char *path, uint32_t records, double seconds, unsigned writers, size_t size);
void scan(const char *path);
void backup(const char *path, const char *file);
void verify(const char *file);
void restore(const char *file, const char *path);
void rotate(const char *path);
void sweep(const char *path, uint32_t count);

#endif
