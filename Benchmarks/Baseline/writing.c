#include "baseline.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>

/* Group commit: clients queue and wait, one thread writes what is there, flushes it and wakes them. */

enum { BATCH = 256, SAMPLES = 1 << 20 };

typedef struct client {
    uint32_t user;
    sem_t done;
    struct client *next;
} client_t;

static struct {
    pthread_mutex_t lock;
    pthread_cond_t work;
    client_t *first, **last;
    bool closing;
} queue = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, NULL, &queue.first, false};

static struct {
    store_t store;
    size_t size;
    uint32_t records;
    double end;
    uint64_t commits;
} run;

static client_t *take(void) {
    pthread_mutex_lock(&queue.lock);
    while (!queue.first && !queue.closing) pthread_cond_wait(&queue.work, &queue.lock);
    client_t *first = queue.first;
    queue.first = NULL;
    queue.last = &queue.first;
    pthread_mutex_unlock(&queue.lock);
    return first;
}

static void *write_on(void *unused) {
    (void)unused;
    uint64_t version = (uint64_t)wall_ms() << 16;
    client_t *waiting;
    while ((waiting = take()))
        while (waiting) {
            client_t *done = waiting;
            unsigned count = 0;
            MDB_txn *txn = begin(run.store, 0);
            for (; waiting && count < BATCH; waiting = waiting->next, count++)
                put_record(txn, run.store, waiting->user, version++, 0, run.size, 0);
            commit(txn);
            run.commits++;
            while (count--) {
                client_t *next = done->next;
                sem_post(&done->done);
                done = next;
            }
        }
    return NULL;
}

typedef struct {
    uint64_t seed, done;
    double *times;
    size_t limit;
} writer_t;

static void *put_on(void *argument) {
    writer_t *writer = argument;
    client_t client;
    sem_init(&client.done, 0, 0);
    double start;
    while ((start = now()) < run.end) {
        client.user = 2 * next_random(&writer->seed, run.records);
        client.next = NULL;
        pthread_mutex_lock(&queue.lock);
        bool first = !queue.first;
        *queue.last = &client;
        queue.last = &client.next;
        if (first) pthread_cond_signal(&queue.work);
        pthread_mutex_unlock(&queue.lock);
        while (sem_wait(&client.done) != 0) {}
        if (writer->done < writer->limit) writer->times[writer->done] = now() - start;
        writer->done++;
    }
    return NULL;
}

void put_records(const char *path, uint32_t records, double seconds, unsigned writers, size_t size) {
    run.store = open_store(path, 0);
    run.size = size;
    run.records = records;
    touch(run.store);
    pthread_t committer, ids[512];
    writer_t *all = need(calloc(writers, sizeof *all));
    double *times = need(calloc(SAMPLES, sizeof *times));
    size_t share = SAMPLES / writers, samples = 0;
    uint64_t done = 0;
    double start = now(), cpu = cpu_time();
    run.end = start + seconds;
    check(pthread_create(&committer, NULL, write_on, NULL), "start a thread");
    for (unsigned i = 0; i < writers; i++) {
        all[i] = (writer_t){88172645463325252ULL + i, 0, times + share * i, share};
        check(pthread_create(&ids[i], NULL, put_on, &all[i]), "start a thread");
    }
    for (unsigned i = 0; i < writers; i++) {
        pthread_join(ids[i], NULL);
        done += all[i].done;
        for (size_t j = 0; j < all[i].done && j < share; j++) times[samples++] = all[i].times[j];
    }
    report("rate", (double)done / (now() - start));
    report("cpu_us", (cpu_time() - cpu) / (double)done * 1e6);
    report("p50_ms", percentile(times, samples, 50) * 1e3);
    report("p99_ms", percentile(times, samples, 99) * 1e3);
    pthread_mutex_lock(&queue.lock);
    queue.closing = true;
    pthread_cond_signal(&queue.work);
    pthread_mutex_unlock(&queue.lock);
    pthread_join(committer, NULL);
    report("batch", (double)done / (double)run.commits);
    free(times);
    free(all);
    mdb_env_close(run.store.env);
}
