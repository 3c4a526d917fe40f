#include "baseline.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A backup: every key and value as stored, in chunks of 64 KiB that secretstream seals and numbers. */

enum {
    CHUNK = 65536,
    SEALED = CHUNK + crypto_secretstream_xchacha20poly1305_ABYTES,
    STREAM_HEADER = crypto_secretstream_xchacha20poly1305_HEADERBYTES,
};

static const uint8_t stream_key[crypto_secretstream_xchacha20poly1305_KEYBYTES] = "baseline-backup-key-of-32-bytes";

typedef struct {
    int fd;
    crypto_secretstream_xchacha20poly1305_state state;
    uint8_t plain[CHUNK], sealed[SEALED];
    size_t used, offset; /* in plain */
    uint64_t index;
    bool final;
} stream_t;

static void write_all(int fd, const uint8_t *bytes, size_t size) {
    while (size) {
        ssize_t count = write(fd, bytes, size);
        if (count < 0 && errno != EINTR) check(errno, "write the backup");
        if (count > 0) bytes += count, size -= (size_t)count;
    }
}

static size_t read_all(int fd, uint8_t *bytes, size_t size) {
    size_t done = 0;
    while (done < size) {
        ssize_t count = read(fd, bytes + done, size - done);
        if (count < 0 && errno != EINTR) check(errno, "read the backup");
        if (count == 0) break;
        if (count > 0) done += (size_t)count;
    }
    return done;
}

static void push(stream_t *stream, bool final) {
    unsigned long long size;
    crypto_secretstream_xchacha20poly1305_push(
        &stream->state, stream->sealed, &size, stream->plain, stream->used, (uint8_t *)&stream->index,
        sizeof stream->index, final ? crypto_secretstream_xchacha20poly1305_TAG_FINAL : 0);
    write_all(stream->fd, stream->sealed, size);
    stream->index++;
    stream->used = 0;
}

static void append(stream_t *stream, const void *bytes, size_t size) {
    const uint8_t *from = bytes;
    while (size) {
        if (stream->used == CHUNK) push(stream, false);
        size_t part = size < CHUNK - stream->used ? size : CHUNK - stream->used;
        memcpy(stream->plain + stream->used, from, part);
        stream->used += part, from += part, size -= part;
    }
}

void backup(const char *path, const char *file) {
    store_t store = open_store(path, 0);
    touch(store);
    stream_t *stream = need(calloc(1, sizeof *stream));
    uint8_t header[STREAM_HEADER];
    double start = now();
    stream->fd = open(file, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
    if (stream->fd < 0) check(errno, "make the backup");
    crypto_secretstream_xchacha20poly1305_init_push(&stream->state, header, stream_key);
    write_all(stream->fd, header, sizeof header);

    MDB_txn *txn = begin(store, MDB_RDONLY);
    MDB_cursor *cursor;
    MDB_val key, value;
    uint64_t done = 0;
    check(mdb_cursor_open(txn, store.records, &cursor), "read");
    for (; mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == MDB_SUCCESS; done++) {
        uint16_t sizes[2] = {(uint16_t)key.mv_size, (uint16_t)value.mv_size};
        append(stream, sizes, sizeof sizes);
        append(stream, key.mv_data, key.mv_size);
        append(stream, value.mv_data, value.mv_size);
    }
    mdb_cursor_close(cursor);
    mdb_txn_abort(txn);
    push(stream, true);
    if (fsync(stream->fd) != 0) check(errno, "flush the backup");
    report("rate", (double)done / (now() - start));
    close(stream->fd);
    free(stream);
    mdb_env_close(store.env);
}

static stream_t *open_stream(const char *file) {
    stream_t *stream = need(calloc(1, sizeof *stream));
    uint8_t header[STREAM_HEADER];
    stream->fd = open(file, O_RDONLY | O_CLOEXEC);
    if (stream->fd < 0) check(errno, "open the backup");
    if (read_all(stream->fd, header, sizeof header) != sizeof header) check(MDB_CORRUPTED, "read the backup");
    crypto_secretstream_xchacha20poly1305_init_pull(&stream->state, header, stream_key);
    return stream;
}

static void close_stream(stream_t *stream) {
    close(stream->fd);
    free(stream);
}

static void pull(stream_t *stream) {
    size_t size = read_all(stream->fd, stream->sealed, SEALED);
    unsigned long long plain;
    uint8_t tag;
    if (stream->final || crypto_secretstream_xchacha20poly1305_pull(
                             &stream->state, stream->plain, &plain, &tag, stream->sealed, size,
                             (uint8_t *)&stream->index, sizeof stream->index) != 0)
        check(MDB_CORRUPTED, "open the backup");
    stream->index++;
    stream->used = plain;
    stream->offset = 0;
    stream->final = tag == crypto_secretstream_xchacha20poly1305_TAG_FINAL;
}

/* False at the end of the backup. */
static bool take(stream_t *stream, void *bytes, size_t size) {
    uint8_t *to = bytes;
    while (size) {
        if (stream->offset == stream->used) {
            if (stream->final) return false;
            pull(stream);
            continue;
        }
        size_t part = size < stream->used - stream->offset ? size : stream->used - stream->offset;
        memcpy(to, stream->plain + stream->offset, part);
        stream->offset += part, to += part, size -= part;
    }
    return true;
}

typedef struct {
    uint16_t key_size, size;
    uint8_t key[512], value[VALUE_LIMIT];
} entry_t;

/* The next entry, found to open at its place. */
static bool next_entry(stream_t *stream, entry_t *entry) {
    uint8_t plain[VALUE_LIMIT];
    if (!take(stream, entry, 4)) return false;
    if (entry->key_size > 511 || entry->size > VALUE_LIMIT || !take(stream, entry->key, entry->key_size) ||
        !take(stream, entry->value, entry->size) ||
        !open_value(entry->value, entry->size, entry->key, entry->key_size, plain))
        check(MDB_CORRUPTED, "open a value of the backup");
    return true;
}

static uint64_t verify_all(const char *file) {
    static entry_t entry;
    stream_t *stream = open_stream(file);
    uint64_t done = 0;
    while (next_entry(stream, &entry)) done++;
    close_stream(stream);
    return done;
}

void verify(const char *file) {
    double start = now();
    uint64_t done = verify_all(file);
    report("rate", (double)done / (now() - start));
}

/* Verified to its end, then loaded: nobody sees the new store before it is whole, so it is flushed once. */
void restore(const char *file, const char *path) {
    static entry_t entry;
    double start = now();
    uint64_t done = 0, total = verify_all(file);
    store_t store = open_store(path, MDB_NOSYNC);
    stream_t *stream = open_stream(file);
    MDB_txn *txn = begin(store, 0);
    while (next_entry(stream, &entry)) {
        MDB_val key = {entry.key_size, entry.key}, value = {entry.size, entry.value};
        check(mdb_put(txn, store.records, &key, &value, MDB_APPEND), "put");
        if (++done % 1000) continue;
        commit(txn);
        txn = begin(store, 0);
    }
    commit(txn);
    check(mdb_env_sync(store.env, 1), "flush");
    close_stream(stream);
    if (done != total) check(MDB_CORRUPTED, "restore everything");
    report("rate", (double)done / (now() - start));
    mdb_env_close(store.env);
}
