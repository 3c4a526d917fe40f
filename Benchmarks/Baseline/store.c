#include "baseline.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

void check(int status, const char *deed) {
    if (status == MDB_SUCCESS) return;
    fprintf(stderr, "baseline: cannot %s: %s\n", deed, mdb_strerror(status));
    exit(1);
}

void *need(void *pointer) {
    if (!pointer) check(ENOMEM, "have memory");
    return pointer;
}

store_t open_store(const char *path, unsigned flags) {
    store_t store;
    if (mkdir(path, 0700) != 0 && errno != EEXIST) check(errno, "make the directory");
    check(mdb_env_create(&store.env), "make an environment");
    mdb_env_set_maxdbs(store.env, 8);
    mdb_env_set_maxreaders(store.env, 512);
    mdb_env_set_mapsize(store.env, (size_t)1 << 40);
    check(mdb_env_open(store.env, path, MDB_NOTLS | MDB_NORDAHEAD | flags, 0600), "open the store");
    MDB_txn *txn = begin(store, 0);
    check(mdb_dbi_open(txn, "records", MDB_CREATE, &store.records), "open a table");
    check(mdb_dbi_open(txn, "expiry", MDB_CREATE, &store.expiry), "open a table");
    commit(txn);
    return store;
}

MDB_txn *begin(store_t store, unsigned flags) {
    MDB_txn *txn;
    check(mdb_txn_begin(store.env, NULL, flags, &txn), "begin a transaction");
    return txn;
}

void commit(MDB_txn *txn) { check(mdb_txn_commit(txn), "commit"); }

void put_record(MDB_txn *txn, store_t store, uint32_t user, uint64_t version, int64_t ends_at, size_t size,
                unsigned flags) {
    uint8_t key[KEY_SIZE], value[VALUE_LIMIT], plain[VALUE_LIMIT];
    make_key(key, user);
    make_plain(plain, size - OVERHEAD, user);
    seal(value, size, (header_t){.term = 1, .version = version, .ends_at = ends_at}, key, KEY_SIZE, plain);
    sodium_memzero(plain, size);
    check(mdb_put(txn, store.records, &(MDB_val){KEY_SIZE, key}, &(MDB_val){size, value}, flags), "put");
    if (!ends_at) return;
    uint8_t entry[8 + KEY_SIZE];
    for (int i = 0; i < 8; i++) entry[i] = (uint8_t)((uint64_t)ends_at >> (56 - 8 * i));
    memcpy(entry + 8, key, KEY_SIZE);
    check(mdb_put(txn, store.expiry, &(MDB_val){sizeof entry, entry}, &(MDB_val){8, &version}, 0), "put");
}

/* `records` that stay, and `ended` that ended an hour ago, spread evenly among them, their times in another order. */
void load(const char *path, uint32_t records, uint32_t ended, size_t size) {
    store_t store = open_store(path, MDB_NOSYNC);
    int64_t past = wall_ms() - 3600 * 1000;
    double start = now();
    uint32_t gone = 0;
    for (uint32_t user = 0; user < records;) {
        MDB_txn *txn = begin(store, 0);
        for (uint32_t end = user + 1000; user < end && user < records; user++) {
            put_record(txn, store, 2 * user, user + 1, 0, size, 0);
            if ((uint64_t)(user + 1) * ended / records == gone) continue;
            put_record(txn, store, 2 * user + 1, records + user + 1, past + gone * 7919ULL % ended, size, 0);
            gone++;
        }
        commit(txn);
    }
    check(mdb_env_sync(store.env, 1), "flush");
    report("rate", (records + ended) / (now() - start));
    mdb_env_close(store.env);
}

void touch(store_t store) {
    MDB_txn *txn = begin(store, MDB_RDONLY);
    MDB_cursor *cursor;
    MDB_val key, value;
    unsigned sum = 0;
    check(mdb_cursor_open(txn, store.records, &cursor), "read");
    while (mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == MDB_SUCCESS) sum += *(volatile uint8_t *)value.mv_data;
    mdb_cursor_close(cursor);
    mdb_txn_abort(txn);
    (void)sum;
}
