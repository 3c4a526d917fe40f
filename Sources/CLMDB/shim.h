#include <lmdb.h>

// What Swift's Glibc leaves out and the store needs.
#include <pthread.h>
#include <sys/statfs.h>
extern int pthread_setname_np(pthread_t thread, const char *name);
