#include "baseline.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct {
    store_t store;
    uint32_t records;
    double end;
    uint64_t seed, done;
} reader_t;

static void get_and_open(MDB_txn *txn, store_t store, uint32_t user) {
    uint8_t key[KEY_SIZE], plain[VALUE_LIMIT];
    MDB_val value;
    make_key(key, user);
    check(mdb_get(txn, store.records, &(MDB_val){KEY_SIZE, key}, &value), "get");
    if (!open_value(value.mv_data, value.mv_size, key, KEY_SIZE, plain)) check(MDB_CORRUPTED, "open a value");
    sodium_memzero(plain, value.mv_size - OVERHEAD);
}

static void *read_on(void *argument) {
    reader_t *reader = argument;
    MDB_txn *txn = begin(reader->store, MDB_RDONLY);
    mdb_txn_reset(txn);
    while (now() < reader->end)
        for (int i = 0; i < 64; i++, reader->done++) {
            check(mdb_txn_renew(txn), "read");
            get_and_open(txn, reader->store, 2 * next_random(&reader->seed, reader->records));
            mdb_txn_reset(txn);
        }
    mdb_txn_abort(txn);
    return NULL;
}

void read_records(const char *path, uint32_t records, double seconds, unsigned threads) {
    store_t store = open_store(path, 0);
    touch(store);
    reader_t readers[64];
    pthread_t ids[64];
    double start = now(), cpu = cpu_time();
    uint64_t done = 0;
    for (unsigned i = 0; i < threads; i++) {
        readers[i] = (reader_t){store, records, start + seconds, 88172645463325252ULL + i, 0};
        check(pthread_create(&ids[i], NULL, read_on, &readers[i]), "start a thread");
    }
    for (unsigned i = 0; i < threads; i++) pthread_join(ids[i], NULL), done += readers[i].done;
    report("rate", (double)done / (now() - start));
    report("cpu_us", (cpu_time() - cpu) / (double)done * 1e6);
    mdb_env_close(store.env);
}

/* One after the other, each by the clock. */
void latency(const char *path, uint32_t records, uint32_t count) {
    store_t store = open_store(path, 0);
    touch(store);
    double *times = need(calloc(count, sizeof *times));
    uint64_t seed = 88172645463325252ULL;
    MDB_txn *txn = begin(store, MDB_RDONLY);
    mdb_txn_reset(txn);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t user = 2 * next_random(&seed, records);
        double start = now();
        check(mdb_txn_renew(txn), "read");
        get_and_open(txn, store, user);
        mdb_txn_reset(txn);
        times[i] = now() - start;
    }
    mdb_txn_abort(txn);
    report("p50_us", percentile(times, count, 50) * 1e6);
    report("p99_us", percentile(times, count, 99) * 1e6);
    free(times);
    mdb_env_close(store.env);
}

/* In order of key, every value opened. */
void scan(const char *path) {
    store_t store = open_store(path, 0);
    touch(store);
    double start = now();
    uint64_t done = 0;
    MDB_txn *txn = begin(store, MDB_RDONLY);
    MDB_cursor *cursor;
    MDB_val key, value;
    uint8_t plain[VALUE_LIMIT];
    check(mdb_cursor_open(txn, store.records, &cursor), "read");
    for (; mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == MDB_SUCCESS; done++)
        if (!open_value(value.mv_data, value.mv_size, key.mv_data, key.mv_size, plain))
            check(MDB_CORRUPTED, "open a value");
    mdb_cursor_close(cursor);
    mdb_txn_abort(txn);
    report("rate", (double)done / (now() - start));
    mdb_env_close(store.env);
}
