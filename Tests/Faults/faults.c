#define _GNU_SOURCE
#include "recorder.h"
#include "vault_faults.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static atomic_int armed;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct plan {
    char directory[1024];
    int kinds, nth, fault, for_good, seen, is_armed;
} plans[VAULT_FAULT_PLANS];

void vault_faults_arm_plan(int number, const char *directory, int kinds, int nth, int fault, int for_good) {
    pthread_mutex_lock(&lock);
    struct plan *plan = &plans[number];
    if (!plan->is_armed) atomic_fetch_add(&armed, 1);
    snprintf(plan->directory, sizeof plan->directory, "%s/", directory);
    plan->kinds = kinds;
    plan->nth = nth;
    plan->fault = fault;
    plan->for_good = for_good;
    plan->seen = 0;
    plan->is_armed = 1;
    pthread_mutex_unlock(&lock);
}

int vault_faults_disarm_plan(int number) {
    pthread_mutex_lock(&lock);
    struct plan *plan = &plans[number];
    if (plan->is_armed) atomic_fetch_sub(&armed, 1);
    plan->is_armed = 0;
    int seen = plan->seen;
    pthread_mutex_unlock(&lock);
    return seen;
}

void vault_faults_arm(const char *directory, int kinds, int nth, int fault, int for_good) {
    vault_faults_arm_plan(0, directory, kinds, nth, fault, for_good);
}

int vault_faults_disarm(void) { return vault_faults_disarm_plan(0); }

// The fault that this call meets, or 0.
static int fault_of(int descriptor, int kind) {
    if (!atomic_load(&armed)) return 0;
    char link[64], target[1024];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, target, sizeof target - 1);
    if (length < 0) return 0;

    int fault = 0;
    pthread_mutex_lock(&lock);
    // The directory itself counts too: its flush makes names last.
    target[length] = '/';
    for (struct plan *plan = plans; plan < plans + VAULT_FAULT_PLANS; plan++) {
        size_t count = strlen(plan->directory);
        if (!plan->is_armed || !(plan->kinds & kind) || (size_t)length + 1 < count
            || strncmp(target, plan->directory, count))
            continue;
        plan->seen++;
        if (plan->seen == plan->nth || (plan->for_good && plan->seen > plan->nth)) fault = plan->fault;
    }
    pthread_mutex_unlock(&lock);
    return fault;
}

static long failed(int error) {
    errno = error;
    return -1;
}

// One more call for a buffer with one bit turned; where there is no room for it, the call fails.
static ssize_t changed(int descriptor, const void *bytes, size_t count, off_t offset) {
    unsigned char *copy = malloc(count);
    if (!copy) return failed(ENOMEM);
    memcpy(copy, bytes, count);
    copy[count / 2] ^= 1;
    long result = offset < 0 ? syscall(SYS_write, descriptor, copy, count)
                             : syscall(SYS_pwrite64, descriptor, copy, count, offset);
    free(copy);
    return result;
}

ssize_t pwrite(int descriptor, const void *bytes, size_t count, off_t offset) {
    int fault = fault_of(descriptor, VAULT_FAULT_WRITES);
    if (fault > 0) return failed(fault);
    if (fault == VAULT_FAULT_LOST) return (ssize_t)count;
    if (fault == VAULT_FAULT_CHANGED && count) return changed(descriptor, bytes, count, offset);
    if (fault == VAULT_FAULT_SHORT) count /= 2;
    long result = syscall(SYS_pwrite64, descriptor, bytes, count, offset);
    if (result > 0) {
        struct iovec done = {.iov_base = (void *)bytes, .iov_len = (size_t)result};
        vault_recorder_wrote(descriptor, offset, &done, 1);
    }
    return fault == VAULT_FAULT_DONE ? failed(EIO) : result;
}

ssize_t writev(int descriptor, const struct iovec *parts, int count) {
    int fault = fault_of(descriptor, VAULT_FAULT_WRITES);
    if (fault > 0) return failed(fault);
    if (fault == VAULT_FAULT_LOST) {
        ssize_t length = 0;
        for (int i = 0; i < count; i++) length += (ssize_t)parts[i].iov_len;
        return length;
    }
    if (fault == VAULT_FAULT_SHORT) count = (count + 1) / 2;
    long result = syscall(SYS_writev, descriptor, parts, (long)count);
    if (result > 0) vault_recorder_wrote(descriptor, lseek(descriptor, 0, SEEK_CUR) - result, parts, count);
    return fault == VAULT_FAULT_DONE ? failed(EIO) : result;
}

ssize_t write(int descriptor, const void *bytes, size_t count) {
    int fault = fault_of(descriptor, VAULT_FAULT_STREAMS);
    if (fault > 0) return failed(fault);
    if (fault == VAULT_FAULT_LOST) return (ssize_t)count;
    if (fault == VAULT_FAULT_CHANGED && count) return changed(descriptor, bytes, count, -1);
    if (fault == VAULT_FAULT_SHORT) count = (count + 1) / 2;
    long result = syscall(SYS_write, descriptor, bytes, count);
    return fault == VAULT_FAULT_DONE ? failed(EIO) : result;
}

ssize_t read(int descriptor, void *bytes, size_t count) {
    int fault = fault_of(descriptor, VAULT_FAULT_READS);
    if (fault > 0) return failed(fault);
    if (fault == VAULT_FAULT_SHORT) count = (count + 1) / 2;
    return syscall(SYS_read, descriptor, bytes, count);
}

static int sync_call(long number, int descriptor) {
    int fault = fault_of(descriptor, VAULT_FAULT_SYNCS);
    if (fault > 0) return (int)failed(fault);
    if (fault == VAULT_FAULT_LOST) return 0;
    long result = syscall(number, descriptor);
    if (result == 0) vault_recorder_flushed(descriptor);
    return fault == VAULT_FAULT_DONE ? (int)failed(EIO) : (int)result;
}

int fdatasync(int descriptor) { return sync_call(SYS_fdatasync, descriptor); }

int fsync(int descriptor) { return sync_call(SYS_fsync, descriptor); }
