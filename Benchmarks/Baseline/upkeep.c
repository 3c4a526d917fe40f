#include "baseline.h"

#include <stdlib.h>
#include <string.h>

/* Seals every record with the next term's key, 128 in a transaction, then reads all of it back. */
void rotate(const char *path) {
    enum { STEP = 128 };
    store_t store = open_store(path, 0);
    touch(store);
    uint8_t last[512] = {0}, plain[VALUE_LIMIT], sealed[VALUE_LIMIT];
    size_t last_size = 0;
    uint64_t done = 0, looked;
    uint32_t term = 0;
    double start = now();
    do {
        MDB_txn *txn = begin(store, 0);
        MDB_cursor *cursor;
        MDB_val key = {last_size, last}, value;
        check(mdb_cursor_open(txn, store.records, &cursor), "read");
        int status = mdb_cursor_get(cursor, &key, &value, last_size ? MDB_SET_RANGE : MDB_FIRST);
        for (looked = 0; status == MDB_SUCCESS && looked < STEP; looked++) {
            header_t header = read_header(value.mv_data);
            size_t size = value.mv_size;
            if (!term) term = header.term + 1;
            if (!open_value(value.mv_data, size, key.mv_data, key.mv_size, plain))
                check(MDB_CORRUPTED, "open a value");
            header.term = term;
            memcpy(last, key.mv_data, last_size = key.mv_size);
            seal(sealed, size, header, last, last_size, plain);
            check(mdb_cursor_put(cursor, &(MDB_val){last_size, last}, &(MDB_val){size, sealed}, MDB_CURRENT), "put");
            status = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
        }
        last[last_size++] = 0;
        mdb_cursor_close(cursor);
        commit(txn);
        done += looked;
    } while (looked == STEP);

    MDB_txn *txn = begin(store, MDB_RDONLY);
    MDB_cursor *cursor;
    MDB_val key, value;
    uint64_t read_back = 0;
    check(mdb_cursor_open(txn, store.records, &cursor), "read");
    for (; mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == MDB_SUCCESS; read_back++)
        if (read_header(value.mv_data).term != term ||
            !open_value(value.mv_data, value.mv_size, key.mv_data, key.mv_size, plain))
            check(MDB_CORRUPTED, "open a value that was sealed again");
    mdb_cursor_close(cursor);
    mdb_txn_abort(txn);
    sodium_memzero(plain, sizeof plain);
    if (read_back != done) check(MDB_CORRUPTED, "read everything back");
    report("rate", (double)done / (now() - start));
    mdb_env_close(store.env);
}

/* Removes `count` records that have ended, earliest first, 256 in a transaction. */
void sweep(const char *path, uint32_t count) {
    enum { STEP = 256 };
    store_t store = open_store(path, 0);
    static uint8_t entries[STEP][512];
    static uint64_t versions[STEP];
    size_t sizes[STEP];
    uint32_t done = 0;
    int64_t until = wall_ms();
    double start = now(), cpu = cpu_time();
    while (done < count) {
        MDB_txn *txn = begin(store, 0);
        MDB_cursor *cursor;
        MDB_val key, value;
        unsigned found = 0;
        check(mdb_cursor_open(txn, store.expiry, &cursor), "read");
        while (found < STEP && done + found < count && mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == MDB_SUCCESS) {
            uint64_t ends_at = 0;
            for (int i = 0; i < 8; i++) ends_at = ends_at << 8 | ((uint8_t *)key.mv_data)[i];
            if ((int64_t)ends_at > until) break;
            memcpy(entries[found], key.mv_data, sizes[found] = key.mv_size);
            memcpy(&versions[found++], value.mv_data, 8);
        }
        mdb_cursor_close(cursor);
        for (unsigned i = 0; i < found; i++) {
            MDB_val name = {sizes[i] - 8, entries[i] + 8}, entry = {sizes[i], entries[i]};
            /* One written since has another version and an entry of its own. */
            if (mdb_get(txn, store.records, &name, &value) == MDB_SUCCESS &&
                read_header(value.mv_data).version == versions[i])
                check(mdb_del(txn, store.records, &name, NULL), "delete");
            check(mdb_del(txn, store.expiry, &entry, NULL), "delete");
        }
        commit(txn);
        if (!found) check(MDB_NOTFOUND, "find enough that has ended");
        done += found;
    }
    report("us", (now() - start) / done * 1e6);
    report("cpu_us", (cpu_time() - cpu) / done * 1e6);
    mdb_env_close(store.env);
}
