#define _GNU_SOURCE
#include "recorder.h"

#include "vault_faults.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static atomic_int recording;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct stat file;
static struct vault_event *events;
static int count, room;

int vault_record(const char *path) {
    pthread_mutex_lock(&lock);
    for (int i = 0; i < count; i++) free((void *)events[i].bytes);
    count = 0;
    int failed = stat(path, &file);
    atomic_store(&recording, !failed);
    pthread_mutex_unlock(&lock);
    return failed;
}

int vault_record_stop(void) {
    atomic_store(&recording, 0);
    return count;
}

struct vault_event vault_recorded(int number) { return events[number]; }

static void add(struct vault_event event) {
    pthread_mutex_lock(&lock);
    if (count == room) {
        room = room ? 2 * room : 256;
        events = realloc(events, (size_t)room * sizeof *events);
        if (!events) abort();
    }
    events[count++] = event;
    pthread_mutex_unlock(&lock);
}

static int is_recorded(int descriptor) {
    struct stat status;
    return atomic_load(&recording) && fstat(descriptor, &status) == 0 && status.st_dev == file.st_dev
        && status.st_ino == file.st_ino;
}

void vault_record_mark(int number) {
    if (atomic_load(&recording)) add((struct vault_event){.kind = VAULT_EVENT_MARK, .number = number});
}

void vault_recorder_flushed(int descriptor) {
    if (is_recorded(descriptor)) add((struct vault_event){.kind = VAULT_EVENT_FLUSH});
}

void vault_recorder_wrote(int descriptor, off_t offset, const struct iovec *parts, int number) {
    if (!is_recorded(descriptor)) return;
    size_t length = 0;
    for (int i = 0; i < number; i++) length += parts[i].iov_len;
    unsigned char *bytes = malloc(length ? length : 1), *next = bytes;
    if (!bytes) abort();
    for (int i = 0; i < number; i++) {
        memcpy(next, parts[i].iov_base, parts[i].iov_len);
        next += parts[i].iov_len;
    }
    int is_durable = (fcntl(descriptor, F_GETFL) & O_DSYNC) != 0;
    add((struct vault_event){
        .kind = is_durable ? VAULT_EVENT_DURABLE_WRITE : VAULT_EVENT_WRITE,
        .offset = offset,
        .length = (long)length,
        .bytes = bytes,
    });
}
