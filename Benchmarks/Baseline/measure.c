#include "baseline.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double seconds(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

double now(void) { return seconds(CLOCK_MONOTONIC); }
double cpu_time(void) { return seconds(CLOCK_PROCESS_CPUTIME_ID); }
int64_t wall_ms(void) { return (int64_t)(seconds(CLOCK_REALTIME) * 1000); }

/* xorshift64*: the same row of numbers in both columns. */
uint32_t next_random(uint64_t *state, uint32_t limit) {
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return (uint32_t)(((*state * 0x2545F4914F6CDD1DULL) >> 32) % limit);
}

void report(const char *name, double value) { printf("%s %.6g\n", name, value); }

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double percentile(double *values, size_t count, double p) {
    if (count == 0) return 0;
    qsort(values, count, sizeof *values, compare);
    return values[(size_t)((double)(count - 1) * p / 100)];
}
